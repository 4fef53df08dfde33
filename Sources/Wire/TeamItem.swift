// A team with its grants, those that ended, and its keys, as lists and shows give them.

import HashTreeCollections
import Hosting

package struct TeamItem: NounItem {
  package static let kind = "team"
  package var id: String
  package var name: Name
  package var title: Text
  package var audience: Audience
  /// Over all models together; none means no limit.
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  package var grants: [GrantItem]
  package var endedGrants: [EndedGrantItem]
  package var keys: Int
  package var registeredAt: Timestamp
  /// What is left of its limits: a signal, which `wharf team show` adds; none of a state of the past.
  package var limits: [LimitItem]?

  package var label: String { name.text }

  package init(_ team: Team, _ models: GrantedModels) {
    let view = models.view
    id = team.id.description
    name = team.name
    title = team.title
    audience = team.audience
    requestsPerMinute = team.quota.requestsPerMinute
    tokensPerMinute = team.quota.tokensPerMinute
    grants = team.grants.values.map { GrantItem($0, models) }.sorted { $0.model < $1.model }
    endedGrants = team.endedGrants.map { model, ended in
      EndedGrantItem(model: models[model].name, cause: ended.cause, endedAt: ended.at)
    }.sorted { $0.model < $1.model }
    keys = view.state.keysOf[team.id]?.count ?? 0
    registeredAt = team.registeredAt
  }
}

/// What grants tell of their models; for all teams of a page it is found out once a model.
package final class GrantedModels {
  struct Told {
    let name: String
    /// Of the agreement that it is served by.
    let end: Timestamp?
  }

  let view: Viewpoint
  private var told: [ID<Model>: Told] = [:]

  package init(_ view: Viewpoint) { self.view = view }

  subscript(_ model: ID<Model>) -> Told {
    if let told = told[model] { return told }
    let new = Told(name: view.modelName(model), end: view.state.agreementEnd(of: model))
    told[model] = new
    return new
  }
}

/// A limit of a team, with what gateways said when they last asked for their leases:
/// `GET /v1/teams/TEAM/limits`.
package struct LimitItem: Codable, Equatable, Sendable, JSONWritable {
  /// None for the team over all models.
  package var model: String?
  package var kind: LimitID.Kind
  package var perMinute: Int
  /// In the 60 s before, and what requests under way may take.
  package var used: Int
  /// What was used beyond the limit: the minutes that follow pay it before anything new is let through.
  package var owed: Int?
  package var left: Int
  /// How old the oldest word of a gateway is; none where no gateway said anything.
  package var ageSeconds: Double?

  package init(
    model: String?, kind: LimitID.Kind, perMinute: Int, used: Int, owed: Int,
    ageSeconds: Double?
  ) {
    self.model = model
    self.kind = kind
    self.perMinute = perMinute
    self.used = used
    self.owed = owed > 0 ? owed : nil
    left = max(0, perMinute - used - min(owed, .max - used))
    self.ageSeconds = ageSeconds.map { ($0 * 10).rounded() / 10 }
  }
}

package struct GrantItem: Codable, Equatable, Sendable, JSONWritable {
  package var model: String
  package var workload: Workload
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  /// Its own end.
  package var until: Timestamp?
  /// When it ends: with its own end or with the agreement, whichever comes first.
  package var ends: Timestamp?
  package var grantedAt: Timestamp

  fileprivate init(_ grant: Grant, _ models: GrantedModels) {
    let told = models[grant.model]
    model = told.name
    workload = grant.workload
    requestsPerMinute = grant.quota.requestsPerMinute
    tokensPerMinute = grant.quota.tokensPerMinute
    until = grant.until
    ends = [grant.until, told.end].compactMap { $0 }.min()
    grantedAt = grant.grantedAt
  }
}

package struct EndedGrantItem: Codable, Equatable, Sendable, JSONWritable {
  package var model: String
  package var cause: EndedGrant.Cause
  package var endedAt: Timestamp
}
