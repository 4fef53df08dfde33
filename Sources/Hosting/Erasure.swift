// Forgetting a person. `personForgotten` says that nothing of theirs is accepted or shown any more; the
// leader then destroys their key and makes anew what was made with it, and says so with `personErased`.
// The log itself never changes: what it holds of them can be opened by nobody.

import HashTreeCollections

// MARK: Events

package struct PersonForgotten: Event {
  package static let type = "personForgotten"
  package static let formatLevel = FormatLevel.sealed

  package init() {}

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    try state.dropSecrets(of: id)
    try state.persons.update(id) { person in
      person.status = .forgotten
      person.forgotten = fact.position
      person.name = .forgotten
      if person.email != nil { person.email = .forgotten }
    }
    state.unerased.insert(id)
  }
}

/// The key of a forgotten person is destroyed, and nothing that was made with it is left.
package struct PersonErased: Event {
  package static let type = "personErased"
  package static let formatLevel = FormatLevel.sealed
  /// So many snapshots were made anew, with all views.
  package let snapshots: Int

  package init(snapshots: Int) { self.snapshots = snapshots }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    try state.persons.update(id) { $0.erased = fact.position }
    state.unerased.remove(id)
  }
}

// MARK: Commands

/// A person by name, or by id: who is forgotten has no name any more.
package enum PersonReference: Hashable, Sendable {
  case name(Name)
  case id(ID<Person>)
}

extension PersonReference: JSONText {
  package init(jsonText: String) throws(Malformed) {
    if let id = ID<Person>(jsonText) {
      self = .id(id)
    } else {
      self = .name(try Name(jsonText))
    }
  }

  package var jsonText: String {
    switch self {
    case .name(let name): name.text
    case .id(let id): id.description
    }
  }
}

extension PersonReference: CustomStringConvertible {
  package var description: String { jsonText }
}

package struct ForgetPerson: Command {
  package static let type = "person.forget"
  package static let allowed: Set<Role> = [.admin]
  package let person: PersonReference

  package init(person: PersonReference) { self.person = person }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let person = try state.require(person)
    guard person.status != .forgotten else { return }
    if person.role == .admin, person.status == .active {
      try state.requireAnotherAdmin(than: person, to: "forget '\(self.person)'")
    }
    decision.record(PersonForgotten(), on: person.id.stream)
  }
}

/// The leader has carried it out for these.
package struct NoteErasure: Command {
  package static let type = "person.noteErasure"
  package static let allowed: Set<Role> = [.system]
  package let persons: [ID<Person>]
  package let snapshots: Int

  package init(persons: [ID<Person>], snapshots: Int) {
    self.persons = persons
    self.snapshots = snapshots
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    for person in persons where state.unerased.contains(person) {
      decision.record(PersonErased(snapshots: snapshots), on: person.stream)
    }
  }
}

extension HostingState {
  /// Every person who is forgotten, and since which position.
  package var forgotten: [(person: ID<Person>, position: Position)] {
    persons.byID.values.compactMap { person in person.forgotten.map { (person.id, $0) } }
      .sorted { $0.person < $1.person }
  }

  func require(_ reference: PersonReference) throws(Refusal) -> Person {
    switch reference {
    case .name(let name): return try persons.require(name)
    case .id(let id):
      guard let person = persons[id] else { throw .unknown(.person, id.description) }
      return person
    }
  }

  /// Someone was authenticated, and forgotten before their command was decided. What they say must not
  /// be kept under a new key.
  func requireNotForgotten(_ principal: Principal) throws(Refusal) {
    guard case .of(let stream) = principal.actor, stream.kind == .person,
      persons[ID(stream.origin)]?.forgotten != nil
    else { return }
    throw Refusal(
      "personForgotten", "cannot do anything for \(stream): they were forgotten meanwhile",
      help: "do it as somebody else: wharf login")
  }
}
