// What lists and shows are made of: one item type a noun, built from the state by the server and
// rendered by the CLI. Field names are the API.

import Hosting

package struct ProviderItem: Codable, Equatable, Sendable {
  package var id: String
  package var name: Name
  package var title: Text
  package var status: String
  package var registeredAt: Timestamp
  package var suspendedAt: Timestamp?

  package init(_ provider: Provider) {
    id = provider.id.description
    name = provider.name
    title = provider.title
    status = provider.suspendedAt == nil ? "active" : "suspended"
    registeredAt = provider.registeredAt
    suspendedAt = provider.suspendedAt
  }
}

package struct PersonItem: Codable, Equatable, Sendable {
  package var id: String
  package var name: Name
  package var role: Role
  package var status: Person.Status
  package var invitedAt: Timestamp

  package init(_ person: Person) {
    id = person.id.description
    name = person.name
    role = person.role
    status = person.status
    invitedAt = person.invitedAt
  }
}

/// `GET /v1/status`
package struct StatusItem: Codable, Equatable, Sendable {
  package var era: Position
  package var hash: Digest
  package var standing: String
  package var leader: String?
  package var you: String
  package var role: Role
  package var counts: [String: Int]

  package init(
    era: Position, hash: Digest, standing: String, leader: String?, you: String, role: Role,
    counts: [String: Int]
  ) {
    self.era = era
    self.hash = hash
    self.standing = standing
    self.leader = leader
    self.you = you
    self.role = role
    self.counts = counts
  }
}
