// views.teams, views.grants and views.keys

import HashTreeCollections
import Hosting

enum TeamRows {
  static let teams = RowMaker<Team>(
    "teams",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.text },
      .text("title") { $0.title.value },
      .text("audience") { $0.audience.rawValue },
      .count("requests_per_minute") { $0.quota.requestsPerMinute },
      .count("tokens_per_minute") { $0.quota.tokensPerMinute },
      .time("registered_at") { $0.registeredAt },
    ])

  /// A grant in force, or what became of the last one.
  struct Access {
    let team: Team
    let model: ID<Model>
    let modelName: String
    let grant: Grant?
    /// Its own end, or the agreement's if that comes first.
    var end: Timestamp?
    let ended: EndedGrant?
  }

  static let grants = RowMaker<Access>(
    "grants", keyCount: 2,
    [
      .text("team_id") { $0.team.id.description },
      .text("model_id") { $0.model.description },
      .text("team") { $0.team.name.text },
      .text("model") { $0.modelName },
      .text("status") { $0.ended?.cause.rawValue ?? "granted" },
      .text("workload") { $0.grant?.workload.rawValue },
      .count("requests_per_minute") { $0.grant?.quota.requestsPerMinute },
      .count("tokens_per_minute") { $0.grant?.quota.tokensPerMinute },
      .time("granted_at") { $0.grant?.grantedAt },
      .time("until") { $0.end },
      .time("ended_at") { $0.ended?.at },
    ])

  static func add(_ id: ID<Team>, of state: HostingState, to rows: inout RowSet) {
    guard let team = state.teams[id] else { return }
    rows.add(teams, team)
    for (model, ended) in team.endedGrants {
      let name = state.called(model)
      rows.add(grants, Access(team: team, model: model, modelName: name, grant: nil, ended: ended))
    }
    for (model, grant) in team.grants {
      let name = state.called(model)
      rows.add(
        grants,
        Access(
          team: team, model: model, modelName: name, grant: grant, end: state.end(of: grant),
          ended: nil))
    }
  }
}

enum KeyRows {
  /// Without the secrets' digests.
  static let keys = RowMaker<Seen<Key>>(
    "keys",
    [
      .text("id") { $0.it.id.description },
      .text("team_id") { $0.it.team.description },
      .text("team") { $0.state.called($0.it.team) },
      .text("name") { $0.it.name.text },
      .text("prefix") { $0.it.prefix.value },
      .time("issued_at") { $0.it.issuedAt },
      .time("until") { $0.it.until },
      .time("previous_until") { $0.it.previous?.until },
    ])

  static func add(_ id: ID<Key>, of state: HostingState, to rows: inout RowSet) {
    if let key = state.keys[id] { rows.add(keys, Seen(it: key, state: state)) }
  }
}
