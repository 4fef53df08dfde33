// A person, as lists and shows give them, and who the asker is.

import HashTreeCollections
import Hosting

package struct PersonItem: NounItem {
  package static let kind = "person"
  package var id: String
  package var name: Name
  package var role: Role
  package var status: Person.Status
  package var invitedAt: Timestamp

  package var label: String { name.text }

  package init(_ person: Person, _ view: Viewpoint) {
    id = person.id.description
    name = person.name
    role = person.role
    status = person.status
    invitedAt = person.invitedAt
  }
}

/// `GET /v1/whoami`: whose token it is. Answered to everyone who has one.
package struct WhoamiItem: Codable, Equatable, Sendable {
  package var id: String
  package var name: String
  package var role: Role

  package init(id: String, name: String, role: Role) {
    self.id = id
    self.name = name
    self.role = role
  }
}
