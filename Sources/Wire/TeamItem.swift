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

  package var label: String { name.text }

  package init(_ team: Team, _ view: Viewpoint) {
    id = team.id.description
    name = team.name
    title = team.title
    audience = team.audience
    requestsPerMinute = team.quota.requestsPerMinute
    tokensPerMinute = team.quota.tokensPerMinute
    grants = team.grants.values.map { GrantItem($0, view) }.sorted { $0.model < $1.model }
    endedGrants = team.endedGrants.map { model, ended in
      EndedGrantItem(model: view.modelName(model), cause: ended.cause, endedAt: ended.at)
    }.sorted { $0.model < $1.model }
    keys = view.state.keys.values.count { $0.team == team.id }
    registeredAt = team.registeredAt
  }
}

package struct GrantItem: Codable, Equatable, Sendable {
  package var model: String
  package var workload: Workload
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  /// Its own end.
  package var until: Timestamp?
  /// When it ends: with its own end or with the agreement, whichever comes first.
  package var ends: Timestamp?
  package var grantedAt: Timestamp

  fileprivate init(_ grant: Grant, _ view: Viewpoint) {
    model = view.modelName(grant.model)
    workload = grant.workload
    requestsPerMinute = grant.quota.requestsPerMinute
    tokensPerMinute = grant.quota.tokensPerMinute
    until = grant.until
    ends = view.state.end(of: grant)
    grantedAt = grant.grantedAt
  }
}

package struct EndedGrantItem: Codable, Equatable, Sendable {
  package var model: String
  package var cause: EndedGrant.Cause
  package var endedAt: Timestamp
}
