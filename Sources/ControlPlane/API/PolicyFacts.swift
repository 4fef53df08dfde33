// Facts of the policy as gateways are told of them, from a state. Each is one lookup; all of them are told in
// pages, in the order of their ids.

import HashTreeCollections
import Hosting
import Wire

struct PolicyFacts {
  /// About so many facts stand on a page; a team's grants are not parted.
  static let pageFacts = 5_000

  let state: HostingState
  let engineKey: (AttemptID) -> EngineKey

  // MARK: Single facts

  func add(_ fact: PolicyFact, to news: inout PolicyNews) {
    switch fact {
    case .provider(let id): if let told = provider(id) { news.providers.append(told) }
    case .model(let id):
      if let told = model(id) {
        news.models.append(told)
      } else {
        news.gone.models.append(id.stream)
      }
    case .team(let id): if let team = state.teams[id] { news.teams.append(told(team)) }
    case .access(let team, let model):
      if let told = access(team, model) {
        news.grants.append(told)
      } else {
        news.gone.grants.append(GoneGrant(team: team.stream, model: model.stream))
      }
    case .key(let id):
      if let told = key(id) { news.keys.append(told) } else { news.gone.keys.append(id.stream) }
    case .route(let id):
      if let told = route(id) { news.routes.append(told) } else { news.gone.routes.append(id) }
    case .settings: break
    }
  }

  private func provider(_ id: ID<Provider>) -> PolicyProvider? {
    state.providers[id].map { provider in
      PolicyProvider(
        id: id.stream, label: provider.label, isSuspended: provider.suspendedAt != nil,
        agreement: state.agreement(of: provider).map(AgreedTerms.init))
    }
  }

  private func model(_ id: ID<Model>) -> ServedModel? {
    guard let model = state.models[id], model.retiredAt == nil else { return nil }
    return ServedModel(
      id: id.stream, name: model.label, provider: model.provider.stream, task: model.task.rawValue,
      contextLength: model.contextLength, onboardedAt: model.onboardedAt,
      published: model.published.keys.sorted(), versions: model.versions.map(\.label.text),
      aliases: model.aliases.mapValues(\.text))
  }

  private func told(_ team: Team) -> ServedTeam {
    ServedTeam(
      id: team.id.stream, name: team.name, audience: team.audience,
      requestsPerMinute: team.quota.requestsPerMinute, tokensPerMinute: team.quota.tokensPerMinute)
  }

  private func access(_ team: ID<Team>, _ model: ID<Model>) -> PolicyAccess? {
    guard let found = state.teams[team] else { return nil }
    if let grant = found.grants[model] {
      return PolicyAccess(
        team: team.stream, model: model.stream, workload: grant.workload,
        requestsPerMinute: grant.quota.requestsPerMinute,
        tokensPerMinute: grant.quota.tokensPerMinute, until: grant.until)
    }
    return found.endedGrants[model].map {
      PolicyAccess(
        team: team.stream, model: model.stream, workload: nil, ended: $0.cause, endedAt: $0.at)
    }
  }

  private func key(_ id: ID<Key>) -> TeamKey? {
    guard let key = state.keys[id] else { return nil }
    var secrets = [TeamKey.Secret(digest: key.secret, until: key.until)]
    if let previous = key.previous {
      let end = key.until.map { min($0, previous.until) } ?? previous.until
      secrets.append(.init(digest: previous.secret, until: end))
    }
    return TeamKey(id: id.stream, team: key.team.stream, secrets: secrets)
  }

  private func route(_ id: AttemptID) -> ModelRoute? {
    guard let (attempt, endpoint, model) = state.routed(id) else { return nil }
    return ModelRoute(
      model: model.id.stream,
      route: PolicyRoute(
        attempt: id, version: attempt.version.text, endpoint: endpoint, engineKey: engineKey(id),
        servedModelName: model.label, waits: model.version(attempt.version)?.launch.waits))
  }

  // MARK: Pages

  /// Where a page begins: behind the thing of this id, among those of its part.
  struct Place: Equatable {
    enum Part: String, CaseIterable { case providers, models, teams, keys, routes }
    var part: Part
    var after: Position

    static let first = Place(part: .providers, after: .empty)

    init(part: Part, after: Position) {
      self.part = part
      self.after = after
    }

    init?(text: String) {
      let words = text.split(separator: ".", omittingEmptySubsequences: false)
      guard words.count == 2, let part = Part(rawValue: String(words[0])),
        let after = Position(text: String(words[1]))
      else { return nil }
      self.init(part: part, after: after)
    }

    var text: String { "\(part.rawValue).\(after)" }
  }

  /// Adds a page to news.
  ///
  /// - Returns: where the next one begins; none behind the last.
  func addPage(from place: Place, to news: inout PolicyNews, limit: Int = pageFacts) -> Place? {
    let parts = Place.Part.allCases.drop { $0 != place.part }
    for part in parts {
      let after = part == place.part ? place.after : .empty
      for id in ids(of: part) where id > after {
        add(part, id, to: &news)
        if news.count >= limit { return Place(part: part, after: id) }
      }
    }
    return nil
  }

  private func ids(of part: Place.Part) -> [Position] {
    switch part {
    case .providers: state.providers.byID.keys.map(\.position).sorted()
    case .models: state.models.byID.keys.map(\.position).sorted()
    case .teams: state.teams.byID.keys.map(\.position).sorted()
    case .keys: state.keys.keys.map(\.position).sorted()
    case .routes: state.deployments.byID.keys.map(\.position).sorted()
    }
  }

  private func add(_ part: Place.Part, _ id: Position, to news: inout PolicyNews) {
    switch part {
    case .providers: add(.provider(ID(id)), to: &news)
    case .models: if let told = model(ID(id)) { news.models.append(told) }
    case .teams:
      guard let team = state.teams[ID(id)] else { return }
      news.teams.append(told(team))
      for model in team.grants.keys.sorted() { add(.access(team.id, model), to: &news) }
      for model in team.endedGrants.keys.sorted() where team.grants[model] == nil {
        add(.access(team.id, model), to: &news)
      }
    case .keys: add(.key(ID(id)), to: &news)
    case .routes:
      guard let deployment = state.deployments[ID(id)] else { return }
      let attempts = deployment.replicas.values.compactMap(\.attempt).sorted()
      news.routes += attempts.compactMap { route($0) }
    }
  }
}
