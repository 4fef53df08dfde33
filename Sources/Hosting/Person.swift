// A person: invited by an admin, then known by tokens they made themselves. Only digests of tokens
// and invitations are ever here. How a person is forgotten is in Erasure.swift.

import HashTreeCollections

package struct Person: PlainlyCalled, SnapshotValue {
  package static let kind = Kind.person

  package let id: ID<Person>
  package var name: Personal<Name>
  package var email: Personal<Email>?
  package var role: Role
  package let invitedAt: Timestamp
  package var status: Status
  /// The digest of the invitation that they may still accept: the last one.
  package var invitation: Digest?
  /// In the order in which they were issued.
  package var tokens: [Token] = []
  /// Something of theirs stands in the log as it is, from before there were keys: its end cannot be
  /// brought about, though nothing shows it once they are forgotten.
  package var inClear: Bool
  /// The position of their `personForgotten`.
  package var forgotten: Position?
  /// The position of their `personErased`.
  package var erased: Position?

  package var label: String { name.shown }
  /// Without a name the id, in a form that no name has.
  package var nameKey: String { name.known?.key ?? "\(Forgotten.text) \(id)" }

  package enum Status: String, Sendable, CaseIterable, JSONCoded {
    /// Holds an invitation → `active` by accepting it, or `disabled`.
    case invited
    /// Holds a token → `disabled`.
    case active
    /// Nothing of theirs is accepted → `invited` by a new invitation.
    case disabled
    /// Nothing of theirs is accepted or can be read, for ever.
    case forgotten
  }
}

extension Person {
  /// An admin who stays one, whatever time it is.
  var isLastingAdmin: Bool {
    role == .admin && status == .active && tokens.contains { $0.until == nil }
  }
}

extension HostingState {
  /// No secret of theirs is good any more.
  mutating func dropSecrets(of id: ID<Person>) throws(Contradiction) {
    if let invitation = persons[id]?.invitation { credentials[invitation] = nil }
    for token in persons[id]?.tokens ?? [] { dropCredential(of: token) }
    try persons.update(id) { person in
      person.invitation = nil
      person.tokens = []
    }
  }
}

// MARK: Events

package enum PersonEvents {
  static let types: [any Event.Type] = [
    PersonInvited.self, PersonDisabled.self, PersonForgotten.self, PersonErased.self,
  ]
}

package struct PersonInvited: HoldsPersonal, JSONWritable, CanonicallyRead {
  package static let type = "personInvited"
  package static let formatLevel = FormatLevel.sealed
  /// Version 2 may hold sealed values, and an e-mail address; version 1 has the name as it is.
  package static let upcasters = [Upcaster { _ in }]
  package let name: Personal<Name>
  package let email: Personal<Email>?
  package let role: Role
  package let invitation: Digest
  package let until: Timestamp

  package init(
    name: Personal<Name>, email: Personal<Email>? = nil, role: Role, invitation: Digest,
    until: Timestamp
  ) {
    self.name = name
    self.email = email
    self.role = role
    self.invitation = invitation
    self.until = until
  }

  package func changingPersonal(
    _ change: (String, Personal<String>) throws -> Personal<String>
  ) throws -> PersonInvited {
    PersonInvited(
      name: try name.changed { try change("name", $0) },
      email: try email?.changed { try change("email", $0) }, role: role, invitation: invitation,
      until: until)
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    if case .sealed = name { throw Contradiction("an invitation of \(id) was not opened") }
    let inClear = state.log.formatLevel < FormatLevel.sealed
    if state.persons[id] == nil {
      try state.persons.insert(
        Person(
          id: id, name: name, email: email, role: role, invitedAt: fact.recordedAt,
          status: .invited, inClear: inClear))
    }
    // The person who still holds the one before may not be whom this one is meant for.
    if let replaced = state.persons[id]?.invitation { state.credentials[replaced] = nil }
    try state.persons.update(id) { person in
      person.role = role
      if let email { person.email = email }
      if inClear { person.inClear = true }
      if person.status == .disabled { person.status = .invited }
      person.invitation = invitation
    }
    state.credentials[invitation] = Credential(holder: id.stream, use: .invitation(until: until))
  }
}

package struct PersonDisabled: Event {
  package static let type = "personDisabled"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    try state.dropSecrets(of: id)
    try state.persons.update(id) { $0.status = .disabled }
  }
}

// MARK: Commands

package enum PersonCommands {
  static let types: [any Command.Type] = [
    AdmitFirstAdmin.self, InvitePerson.self, AcceptInvitation.self, DisablePerson.self,
    ForgetPerson.self, NoteErasure.self,
  ]
}

/// Starts an empty log: the first admin, whose token wharfd wrote to a file.
package struct AdmitFirstAdmin: Command {
  package static let type = "person.admitFirstAdmin"
  package static let allowed: Set<Role> = [.system]
  /// What the token is called that wharfd makes for the first admin.
  private static let tokenName = Name.ours("first")
  package let name: Name
  package let token: Digest
  package let prefix: Text

  package init(name: Name, token: Digest, prefix: Text) {
    self.name = name
    self.token = token
    self.prefix = prefix
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard state.persons.count == 0 else {
      throw Refusal(
        "notFirst", "a first admin is admitted only while the log knows no person",
        help: "an admin invites others: wharf person invite NAME --role admin")
    }
    let id = decision.create(
      Person.self,
      PersonInvited(name: .known(name), role: .admin, invitation: token, until: decision.now))
    decision.record(
      PersonTokenIssued(
        token: token, prefix: prefix, name: Self.tokenName, formatLevel: state.log.formatLevel),
      on: id.stream)
  }
}

/// Invites a person, or anew one who is known: who has no token left, or is to have another role. An
/// invitation that was not accepted is replaced, and good no more.
package struct InvitePerson: Command {
  package static let type = "person.invite"
  package static let allowed: Set<Role> = [.admin]
  /// How long an invitation can be accepted.
  package static let validHours = 72

  package let name: Name
  package let email: Email?
  package let role: Role
  package let invitation: Digest

  package init(name: Name, email: Email? = nil, role: Role, invitation: Digest) {
    self.name = name
    self.email = email
    self.role = role
    self.invitation = invitation
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard [.admin, .operator, .viewer].contains(role) else {
      throw Refusal(
        "roleNotForPeople", "cannot invite '\(name)' as \(role.rawValue): it is a machine's role",
        help: "people are admin, operator or viewer")
    }
    guard state.credentials[invitation] == nil else {
      throw Refusal("secretInUse", "this invitation is already in use", help: "make a new one")
    }
    let until = decision.now.adding(seconds: Int64(Self.validHours) * 3600)
    let event = PersonInvited(
      name: .known(name), email: email.map { .known($0) }, role: role, invitation: invitation,
      until: until)
    if let known = state.persons.named(name) {
      if known.role == .admin, role != .admin, known.status == .active {
        try state.requireAnotherAdmin(than: known, to: "make '\(name)' \(role.rawValue)")
      }
      decision.record(event, on: known.id.stream)
    } else {
      decision.create(Person.self, event)
    }
  }
}

/// Turns the invitation that authenticated this command into a token.
package struct AcceptInvitation: Command {
  package static let type = "person.accept"
  package static let allowed: Set<Role> = [.invited]
  package static let standardName = Name.ours("login")

  package let token: Digest
  package let prefix: Text
  /// What the token is called; one is chosen where none is given.
  package let name: Name?
  /// How long it is good; without, until it is revoked.
  package let validHours: Int?

  package init(token: Digest, prefix: Text, name: Name? = nil, validHours: Int? = nil) {
    self.token = token
    self.prefix = prefix
    self.name = name
    self.validHours = validHours
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor else { return }
    // The invitation may have been spent by a command decided just before this one.
    guard let person = state.persons[ID(stream.origin)], let invitation = person.invitation,
      decision.principal.credential ?? invitation == invitation,
      case .invitation(let until) = state.credentials[invitation]?.use, decision.now < until
    else {
      throw Refusal(
        "invitationSpent", "this invitation was already accepted, or has run out",
        help: "ask an admin for a new one")
    }
    try state.issue(
      token, prefix, named: name ?? person.freeTokenName(like: Self.standardName, decision.now),
      validHours: validHours, to: person, for: Self.self, &decision)
  }
}

package struct DisablePerson: Command {
  package static let type = "person.disable"
  package static let allowed: Set<Role> = [.admin]
  package let name: Name

  package init(name: Name) { self.name = name }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let person = try state.persons.require(name)
    guard person.status != .disabled else { return }
    if person.role == .admin, person.status == .active {
      try state.requireAnotherAdmin(than: person, to: "disable '\(name)'")
    }
    decision.record(PersonDisabled(), on: person.id.stream)
  }
}

extension HostingState {
  func requireAnotherAdmin(
    than person: Person, to attempt: String
  ) throws(Refusal) {
    let isAnother = persons.byID.values.contains { $0.id != person.id && $0.isLastingAdmin }
    guard isAnother else {
      throw Refusal(
        "lastAdmin",
        "cannot \(attempt): no other active admin with a token that does not end would be left",
        help: "invite another first: wharf person invite NAME --role admin")
    }
  }
}
