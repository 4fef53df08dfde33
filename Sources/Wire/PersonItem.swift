// A person, as lists and shows give them, and who the asker is.

import HashTreeCollections
import Hosting

package struct PersonItem: NounItem {
  package static let kind = "person"
  package var id: String
  package var name: Personal<Name>
  package var email: Personal<Email>?
  package var role: Role
  package var status: Person.Status
  package var invitedAt: Timestamp
  /// The positions at which they were forgotten, and that was carried out.
  package var forgotten: Position?
  package var erased: Position?
  /// Something of theirs stands in the log as it is, from before personal data was sealed.
  package var inClear: Bool?

  package var label: String { name.shown }

  package init(_ person: Person, _ view: Viewpoint) {
    id = person.id.description
    name = person.name
    email = person.email
    role = person.role
    status = person.status
    invitedAt = person.invitedAt
    forgotten = person.forgotten
    erased = person.erased
    inClear = person.inClear ? true : nil
  }
}

/// `GET /v1/whoami`: whose token it is. Answered to everyone who has one.
package struct WhoamiItem: Codable, Equatable, Sendable, JSONWritable {
  package var id: String
  package var name: String
  package var role: Role

  package init(id: String, name: String, role: Role) {
    self.id = id
    self.name = name
    self.role = role
  }
}
