// A token: with it a person speaks to the API. Made by its holder; only its digest and first characters
// are here. A person has as many as they like, each with a name of its own, and each ends by itself: when
// it is revoked, when it runs out, or with its person. Its name is its holder's word, and sealed as such.

import HashTreeCollections

package struct Token: Equatable, Sendable, SnapshotValue {
  package let secret: Digest
  /// By which people tell their tokens apart.
  package let prefix: Text
  /// None of one from before tokens had names: such a one is called by its first characters.
  package let name: Name?
  package let issuedAt: Timestamp
  /// Good before this moment; without one until it is revoked.
  package let until: Timestamp?

  package func isGood(at now: Timestamp) -> Bool { until.map { now < $0 } ?? true }
}

extension Person {
  func token(_ secret: Digest) -> Token? { tokens.first { $0.secret == secret } }

  /// Those that answer to a name, or to first characters.
  fileprivate func tokens(called name: Name, at now: Timestamp) -> [Token] {
    let good = tokens.filter { $0.isGood(at: now) }
    let named = good.filter { $0.name == name }
    return named.isEmpty ? good.filter { $0.prefix.value == name.text } : named
  }

  /// This name, or one like it that none of their tokens has.
  func freeTokenName(like name: Name, _ now: Timestamp) -> Name {
    let taken = Set(tokens.filter { $0.isGood(at: now) }.compactMap(\.name))
    guard taken.contains(name) else { return name }
    for number in 2...(taken.count + 2) {
      if let free = try? Name("\(name)-\(number)"), !taken.contains(free) { return free }
    }
    preconditionFailure("so many names cannot all be taken")
  }
}

extension HostingState {
  /// What the token opened, it opens no more.
  mutating func dropCredential(of token: Token) {
    credentials[token.secret] = nil
    endings.remove(.secret(token.secret), until: token.until)
  }

  func requireUnused(_ secret: Digest) throws(Refusal) {
    guard credentials[secret] == nil, keyBySecret[secret] == nil else {
      throw Refusal("secretInUse", "this secret is already in use", help: "make a new one")
    }
  }

  /// Decides a new token of a person.
  func issue(
    _ token: Digest, _ prefix: Text, named name: Name, validHours: Int?, to person: Person,
    for command: any Command.Type, _ decision: inout Decision
  ) throws(Refusal) {
    // A log that cannot tell of an end would make a token without one.
    if validHours != nil { try log.require(FormatLevel.kept, for: command) }
    if let validHours, !(1...IssueToken.longestValidHours).contains(validHours) {
      throw Refusal(
        "validityOutOfRange",
        "cannot issue a token for \(validHours) hours: 1 to \(IssueToken.longestValidHours) can be had",
        help: "leave the end out for one that is good until it is revoked")
    }
    try requireUnused(token)
    let good = person.tokens.filter { $0.isGood(at: decision.now) }
    if good.contains(where: { $0.name == name }) {
      throw Refusal(
        "nameTaken", "\(person.label) already has a token named '\(name)'",
        help: "choose another name, or end that one first: wharf token revoke \(name)")
    }
    guard good.count < IssueToken.tokensPerPersonLimit else {
      throw Refusal(
        "tooManyTokens",
        "\(person.label) has \(IssueToken.tokensPerPersonLimit) tokens, the most there may be",
        help: "end those that nobody needs: wharf token list, wharf token revoke NAME")
    }
    let until = validHours.map { decision.now.adding(seconds: Int64($0) * 3_600) }
    decision.record(
      PersonTokenIssued(
        token: token, prefix: prefix, name: name, until: until, formatLevel: log.formatLevel),
      on: person.id.stream)
  }
}

// MARK: Events

package enum TokenEvents {
  static let types: [any Event.Type] = [PersonTokenIssued.self, PersonTokenEnded.self]
}

/// A person made a token, and this is its digest. An open invitation is spent with it.
package struct PersonTokenIssued: HoldsPersonal, JSONWritable, CanonicallyRead {
  package static let type = "personTokenIssued"
  package let token: Digest
  /// The first characters, by which people tell their tokens apart.
  package let prefix: Text
  /// None in a log below `FormatLevel.kept`.
  package let name: Personal<Name>?
  /// Good before this moment; none in a log below `FormatLevel.kept`.
  package let until: Timestamp?

  package init(
    token: Digest, prefix: Text, name: Personal<Name>? = nil, until: Timestamp? = nil
  ) {
    self.token = token
    self.prefix = prefix
    self.name = name
    self.until = until
  }

  /// As it is written into a log of a format level.
  init(token: Digest, prefix: Text, name: Name, until: Timestamp? = nil, formatLevel: Int) {
    let isTold = formatLevel >= FormatLevel.kept
    self.init(
      token: token, prefix: prefix, name: isTold ? .known(name) : nil, until: isTold ? until : nil)
  }

  package func changingPersonal(
    _ change: (String, Personal<String>) throws -> Personal<String>
  ) throws -> PersonTokenIssued {
    PersonTokenIssued(
      token: token, prefix: prefix, name: try name?.changed { try change("name", $0) }, until: until
    )
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    guard let person = state.persons[id] else { throw Contradiction("there is no \(id)") }
    if case .sealed = name { throw Contradiction("a token of \(id) was not opened") }
    if let spent = person.invitation { state.credentials[spent] = nil }
    state.credentials[token] = Credential(holder: id.stream, use: .token(until: until))
    state.endings.add(.secret(token), until: until)
    let issued = Token(
      secret: token, prefix: prefix, name: name?.known, issuedAt: fact.recordedAt, until: until)
    try state.persons.update(id) { person in
      person.status = .active
      person.invitation = nil
      person.tokens.append(issued)
    }
  }
}

/// How something that is good for a time came to its end. Raw values are a storage format.
package enum EndCause: String, CaseIterable, Sendable, JSONCoded {
  case revoked
  /// Its date came.
  case expired
}

/// One token of a person is good no more; their others are.
package struct PersonTokenEnded: Event {
  package static let type = "personTokenEnded"
  package static let formatLevel = FormatLevel.kept
  package let token: Digest
  package let cause: EndCause

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Person> = try fact.subject()
    guard let ended = state.persons[id]?.token(token) else {
      throw Contradiction("\(id) has no such token")
    }
    state.dropCredential(of: ended)
    try state.persons.update(id) { $0.tokens.removeAll { $0.secret == ended.secret } }
  }
}

// MARK: Commands

package enum TokenCommands {
  static let types: [any Command.Type] = [IssueToken.self, RevokeToken.self, ExpireToken.self]
}

/// Makes another token of whoever sends it.
package struct IssueToken: Command {
  package static let type = "token.issue"
  package static let allowed: Set<Role> = [.admin, .operator, .viewer]
  package static let tokensPerPersonLimit = 100
  /// Five years.
  package static let longestValidHours = 24 * 365 * 5

  package let name: Name
  package let token: Digest
  package let prefix: Text
  /// How long it is good; without, until it is revoked.
  package let validHours: Int?

  package init(name: Name, token: Digest, prefix: Text, validHours: Int? = nil) {
    self.name = name
    self.token = token
    self.prefix = prefix
    self.validHours = validHours
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try state.log.require(FormatLevel.kept, for: Self.self)
    let person = try state.sender(of: Self.self, decision.principal)
    // Else whoever finds a token that is about to end makes one of it that is not.
    if let presented = decision.principal.credential.flatMap(person.token),
      let end = presented.until
    {
      let until = validHours.map { decision.now.adding(seconds: Int64($0) * 3_600) }
      guard let until, until <= end else {
        throw Refusal(
          "outlivesToken",
          "cannot issue token '\(name)': it would outlive the one it is asked for with, which ends on "
            + end.short,
          help: "ask with a token that does not end, or give an end that comes no later: --expires")
      }
    }
    try state.issue(
      token, prefix, named: name, validHours: validHours, to: person, for: Self.self, &decision)
  }
}

/// Ends one token: of whoever sends it, or, by an admin, of anybody.
package struct RevokeToken: Command {
  package static let type = "token.revoke"
  package static let allowed: Set<Role> = [.admin, .operator, .viewer]
  /// What it is called, or its first characters.
  package let token: Name
  /// Whose; without, the sender's.
  package let person: PersonReference?

  package init(token: Name, person: PersonReference? = nil) {
    self.token = token
    self.person = person
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let person = try holder(state, decision.principal)
    let found = person.tokens(called: token, at: decision.now)
    guard let ended = found.first else {
      throw Refusal(
        "unknownTokenName", "\(person.label) has no token '\(token)'", help: "wharf token list")
    }
    guard found.count == 1 else {
      throw Refusal(
        "ambiguousToken", "\(found.count) tokens of \(person.label) begin with '\(token)'",
        help: "disable the person and invite them anew: wharf person disable \(person.label)")
    }
    var left = person
    left.tokens.removeAll { $0.secret == ended.secret }
    if person.isLastingAdmin, !left.isLastingAdmin {
      try state.requireAnotherAdmin(than: person, to: "revoke token '\(token)' of \(person.label)")
    }
    decision.record(
      PersonTokenEnded(token: ended.secret, cause: .revoked), on: person.id.stream)
  }

  private func holder(
    _ state: HostingState, _ principal: Principal
  ) throws(Refusal) -> Person {
    guard let person else { return try state.sender(of: Self.self, principal) }
    return try state.require(person, principal)
  }
}

/// The reconciler notes that the end of a token came.
package struct ExpireToken: Command {
  package static let type = "token.expire"
  package static let allowed: Set<Role> = [.system]
  package let person: ID<Person>
  package let token: Digest

  package init(person: ID<Person>, token: Digest) {
    self.person = person
    self.token = token
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.persons[person]?.token(token), !found.isGood(at: decision.now)
    else { return }
    decision.record(PersonTokenEnded(token: token, cause: .expired), on: person.stream)
  }
}

extension HostingState {
  /// The person who sends a command.
  fileprivate func sender(
    of command: any Command.Type, _ principal: Principal
  ) throws(Refusal) -> Person {
    guard case .of(let stream) = principal.actor, stream.kind == .person,
      let person = persons[ID(stream.origin)]
    else { throw .notAllowed(principal.role, command) }
    return person
  }

  /// A person whose tokens someone wants to end: anybody for admins; else nobody but the sender, also
  /// where there is no such person.
  fileprivate func require(
    _ reference: PersonReference, _ principal: Principal
  ) throws(Refusal) -> Person {
    let found: Person
    do { found = try require(reference) } catch {
      if principal.role == .admin { throw error }
      throw .othersToken
    }
    guard principal.role == .admin || principal.actor == .of(found.id.stream) else {
      throw .othersToken
    }
    return found
  }
}

extension Refusal {
  fileprivate static let othersToken = Refusal(
    "notAllowed", "only an admin ends the tokens of others", help: "ask an admin")
}
