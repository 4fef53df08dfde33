// views.persons, views.gateways and views.marks

import HashTreeCollections
import Hosting

enum PersonRows {
  /// Without the digests of tokens and invitations.
  static let persons = RowMaker<Person>(
    "persons",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.shown },
      .text("email") { $0.email?.shown },
      .text("role") { $0.role.rawValue },
      .text("status") { $0.status.rawValue },
      .time("invited_at") { $0.invitedAt },
    ])

  static func add(_ id: ID<Person>, of state: HostingState, to rows: inout RowSet) {
    if let person = state.persons[id] { rows.add(persons, person) }
  }
}

enum GatewayRows {
  static let gateways = RowMaker<Gateway>(
    "gateways",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.text },
      .time("registered_at") { $0.registeredAt },
    ])

  static func add(_ id: ID<Gateway>, of state: HostingState, to rows: inout RowSet) {
    if let gateway = state.gateways[id] { rows.add(gateways, gateway) }
  }
}

enum MarkRows {
  static let marks = RowMaker<Mark>(
    "marks",
    [
      .text("name") { $0.name.text },
      .integer("position") { $0.position.value },
      .time("marked_at") { $0.markedAt },
    ])

  static func add(_ key: String, of state: HostingState, to rows: inout RowSet) {
    if let mark = state.log.marks[key] { rows.add(marks, mark) }
  }
}
