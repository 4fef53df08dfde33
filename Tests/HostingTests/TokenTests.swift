// Tokens of persons: each with a name and an end of its own.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct TokenTests {
  private let now = World.start
  private let first = given(
    AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)

  private func issue(_ name: Name, _ secret: Int, hours: Int? = nil) -> IssueToken {
    IssueToken(
      name: name, token: .numbered(secret), prefix: try! Text("wt-\(secret)"), validHours: hours)
  }

  private func holder(_ secret: Int, _ given: Given, after seconds: Int64 = 0) -> Principal {
    given.world.state.principal(
      presenting: .numbered(secret), now: given.world.now.adding(seconds: seconds))
      ?? Principal(actor: .wharfd, role: .invited)
  }

  /// With bob, an operator, who holds token 3.
  private var two: Given {
    let invitation = first.and(
      InvitePerson(name: "bob", role: .operator, invitation: .numbered(2)))
    return invitation.and(
      AcceptInvitation(token: .numbered(3), prefix: "wt-3"), by: holder(2, invitation))
  }

  @Test func `a token has a name of its own, and an end if it is asked for`() {
    let issued = first.when(issue("laptop", 4, hours: 24), by: holder(1, first))
      .then(
        PersonTokenIssued(
          token: .numbered(4), prefix: "wt-4", name: .known("laptop"),
          until: now.adding(days: 1)))
    #expect(issued.world.state.principal(presenting: .numbered(4), now: now)?.role == .admin)
    #expect(
      issued.world.state.principal(presenting: .numbered(4), now: now.adding(days: 1)) == nil)
    let ann = holder(1, issued)
    issued.when(issue("LAPTOP", 5), by: ann).thenRefused("nameTaken", saying: "wharf token revoke")
    issued.when(issue("other", 4), by: ann).thenRefused("secretInUse")
    issued.when(issue("other", 5, hours: 0), by: ann).thenRefused("validityOutOfRange")
    // Its name is free once it ran out, whether that is noted or not.
    issued.passed(days: 1).when(issue("laptop", 5), by: ann)
      .then(PersonTokenIssued(token: .numbered(5), prefix: "wt-5", name: .known("laptop")))
  }

  @Test func `what a token that ends makes, ends no later`() {
    let brief = first.and(issue("brief", 4, hours: 48), by: holder(1, first))
    brief.when(issue("other", 5), by: holder(4, brief)).thenRefused("outlivesToken")
    brief.when(issue("other", 5, hours: 49), by: holder(4, brief)).thenRefused("outlivesToken")
    brief.when(issue("other", 5, hours: 48), by: holder(4, brief))
      .then(
        PersonTokenIssued(
          token: .numbered(5), prefix: "wt-5", name: .known("other"), until: now.adding(days: 2)))
  }

  @Test func `a lost token is revoked, and its person goes on with the others`() {
    let more = two.and(issue("laptop", 4), by: holder(3, two))
    let revoked = more.when(RevokeToken(token: "laptop"), by: holder(3, more))
      .then(PersonTokenEnded(token: .numbered(4), cause: .revoked))
    #expect(revoked.world.state.principal(presenting: .numbered(4), now: now) == nil)
    #expect(revoked.world.state.principal(presenting: .numbered(3), now: now)?.role == .operator)
    #expect(revoked.world.state.persons.named("bob")?.status == .active)
    revoked.when(RevokeToken(token: "laptop"), by: holder(3, revoked))
      .thenRefused("unknownTokenName")
  }

  @Test func `an admin ends the tokens of others, and nobody else does`() {
    let bobs = RevokeToken(token: "login", person: .name("bob"))
    two.when(bobs, by: holder(1, two)).then(PersonTokenEnded(token: .numbered(3), cause: .revoked))
    two.when(bobs, by: holder(3, two)).then(PersonTokenEnded(token: .numbered(3), cause: .revoked))
    for name in ["ann", "nobody"] as [Name] {
      two.when(RevokeToken(token: "first", person: .name(name)), by: holder(3, two))
        .thenRefused("notAllowed", saying: "only an admin")
    }
    two.when(RevokeToken(token: "first", person: .name("nobody")), by: holder(1, two))
      .thenRefused("unknownPerson")
  }

  @Test func `the last admin keeps a token that does not end`() {
    let brief = first.and(issue("brief", 4, hours: 24), by: holder(1, first))
    brief.when(RevokeToken(token: "first"), by: holder(1, brief)).thenRefused("lastAdmin")
    let lasting = brief.and(issue("lasting", 5), by: holder(1, brief))
    lasting.when(RevokeToken(token: "first"), by: holder(1, lasting))
      .then(PersonTokenEnded(token: .numbered(1), cause: .revoked))
  }

  @Test func `a token from before tokens had names is called by its first characters`() {
    let old = Given(World(formatLevel: FormatLevel.sealed))
      .and(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt-ann"), by: .wharfd)
    #expect(old.world.state.persons.named("ann")?.tokens.first?.name == nil)
    old.when(issue("laptop", 4), by: holder(1, old))
      .thenRefused("formatLevelTooLow", saying: "wharfd finalize")
    let raised = old.and(RaiseFormatLevel(level: FormatLevel.kept, readers: []), by: .wharfd)
      .and(issue("laptop", 4), by: holder(1, old))
    raised.when(RevokeToken(token: "wt-ann"), by: holder(4, raised))
      .then(PersonTokenEnded(token: .numbered(1), cause: .revoked))
  }

  @Test func `on a log of before, nobody is given a token whose end it could not keep`() {
    let old = Given(World(formatLevel: FormatLevel.sealed))
      .and(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt-ann"), by: .wharfd)
      .and(InvitePerson(name: "bob", role: .viewer, invitation: .numbered(2)))
    old.when(
      AcceptInvitation(token: .numbered(3), prefix: "wt-3", validHours: 1), by: holder(2, old)
    ).thenRefused("formatLevelTooLow")
    old.when(AcceptInvitation(token: .numbered(3), prefix: "wt-3"), by: holder(2, old))
      .then(PersonTokenIssued(token: .numbered(3), prefix: "wt-3"))
  }

  @Test func `a person has a hundred tokens at most`() {
    let full = first.with { world in
      for index in 1..<IssueToken.tokensPerPersonLimit {
        try world.perform(issue(try Name("t\(index)"), 10 + index), by: holder(1, first))
      }
    }
    full.when(issue("more", 2), by: holder(1, first)).thenRefused("tooManyTokens")
  }
}

@Suite struct EndingsTests {
  private let now = World.start

  private func due(_ given: Given) -> [String] {
    given.world.state.dueEndings(at: given.world.now).commands.map { type(of: $0).type }
  }

  /// A key, a token and a join token that end after so many hours.
  private func ending(after hours: Int) -> Given {
    given(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)
      .and(RegisterTeam(name: "copilot", audience: .internal))
      .and(
        IssueKey(
          team: "copilot", name: "laptop", secret: .numbered(2), prefix: "wk",
          until: now.adding(seconds: Int64(hours) * 3_600)),
        IssueToken(name: "t", token: .numbered(3), prefix: "wt", validHours: hours),
        IssueJoinToken(token: .numbered(4), validHours: hours))
  }

  @Test func `ends are noted when they came, each once`() throws {
    let later = ending(after: 30)
    #expect(due(later) == [])
    #expect(later.world.state.dueEndings(at: now).next == now.adding(seconds: 30 * 3_600))
    let come = later.passed(seconds: 30 * 3_600)
    #expect(due(come).sorted() == ["key.expire", "node.expireJoinToken", "token.expire"])
    let noted = come.and(come.world.state.dueEndings(at: come.world.now).commands, by: .wharfd)
    #expect(due(noted) == [])
    #expect(noted.world.state.dueEndings(at: noted.world.now).next == nil)
    #expect(noted.world.state.endings == Endings())
    #expect(noted.world.state.keys.isEmpty && noted.world.state.keyBySecret.isEmpty)
    #expect(noted.world.state.joinTokens.isEmpty)
    #expect(Set(noted.world.state.credentials.keys) == [.numbered(1)])
  }

  @Test func `a note that comes too early, or twice, changes nothing`() throws {
    let later = ending(after: 2)
    let world = later.world
    let key = try #require(world.state.keys.keys.first)
    let token = try #require(world.state.joinTokens.keys.first)
    let notes: [any Command] = [
      ExpireKey(key: key), ExpireJoinToken(joinToken: token),
      ExpireToken(person: ID(1), token: .numbered(3)),
    ]
    for note in notes {
      later.when(note, by: .wharfd).thenNothing()
      let come = later.passed(seconds: 7_200).and([note], by: .wharfd)
      come.when(note, by: .wharfd).thenNothing()
    }
  }

  @Test func `what was revoked before its end is not looked for any more`() throws {
    let token = try #require(ending(after: 2).world.state.joinTokens.keys.first)
    let revoked = ending(after: 2)
      .and(RevokeKey(team: "copilot", name: "laptop"), RevokeToken(token: "t"))
      .and(RevokeJoinToken(joinToken: token))
    #expect(revoked.world.state.endings == Endings())
    #expect(ending(after: 2).world.state.endings != Endings())
  }
}

@Suite struct JoinTokenTests {
  private let now = World.start
  private let issued = given(
    IssueJoinToken(token: .numbered(1), validHours: 1, prefix: "wharf-join-1"))

  private var joining: Principal {
    Principal(actor: .of(Stream(.node, 1)), role: .joining, credential: .numbered(1))
  }

  private var join: JoinNode {
    JoinNode(name: "n1", credential: .numbered(2), facts: GoldenTests.facts)
  }

  @Test func `a join token that was revoked joins nobody`() {
    let revoked = issued.when(RevokeJoinToken(joinToken: ID(1)))
      .then(JoinTokenEnded(cause: .revoked))
    #expect(revoked.world.state.principal(presenting: .numbered(1), now: now) == nil)
    revoked.when(join, by: joining).thenRefused("credentialEnded", saying: "revoked")
    revoked.when(RevokeJoinToken(joinToken: ID(1))).thenRefused("unknownJoinToken")
  }

  @Test func `one that was used is its node, and is taken out as such`() {
    let joined = issued.and(join, by: joining)
    #expect(joined.world.state.joinTokens.isEmpty)
    joined.when(RevokeJoinToken(joinToken: ID(1)))
      .thenRefused("joinTokenSpent", saying: "wharf node remove n1")
    joined.when(join, by: joining).thenRefused("credentialEnded")
  }

  @Test func `its first characters are told where the log can hold them`() {
    #expect(issued.world.state.joinTokens[ID(1)]?.prefix == "wharf-join-1")
    Given(World(formatLevel: FormatLevel.sealed))
      .when(IssueJoinToken(token: .numbered(1), validHours: 1, prefix: "wharf-join-1"))
      .then(JoinTokenIssued(token: .numbered(1), until: now.adding(seconds: 3_600)))
  }
}

@Suite struct PrivacyTests {
  private let people = given(
    AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd
  ).and(
    InvitePerson(
      name: "bob", email: try! Email("bob@example.com"), role: .viewer, invitation: .numbered(2)),
    InvitePerson(
      name: "eve", email: try! Email("eve@example.com"), role: .viewer, invitation: .numbered(3)))

  private func sight(_ name: Name, _ role: Role) throws -> Visibility {
    let person = try #require(people.world.state.persons.named(name))
    return try Visibility.of(
      Principal(actor: .of(person.id.stream), role: role), people.world.state)
  }

  @Test func `a viewer reads no e-mail address but their own`() throws {
    let seen = try sight("bob", .viewer).applied(to: people.world.state)
    #expect(seen.persons.named("bob")?.email?.shown == "bob@example.com")
    #expect(seen.persons.named("eve")?.email == nil)
    let all = try sight("ann", .admin).applied(to: people.world.state)
    #expect(all.persons.named("eve")?.email?.shown == "eve@example.com")
  }

  @Test func `the events of others tell a viewer neither addresses nor what tokens are called`()
    throws
  {
    let sight = try sight("bob", .viewer)
    let (bob, eve) = (
      try #require(people.world.state.persons.named("bob")).id.stream,
      try #require(people.world.state.persons.named("eve")).id.stream
    )
    for recorded in people.world.log where recorded.event is PersonInvited {
      let event = try #require(recorded.event as? PersonInvited)
      let told = sight.redacted(event, on: recorded.fact.stream) as? PersonInvited
      #expect((told != nil) == (recorded.fact.stream == eve))
      #expect(told?.email == nil)
    }
    let token = PersonTokenIssued(token: .numbered(4), prefix: "wt", name: .known("attic"))
    #expect(sight.redacted(token, on: bob) == nil)
    #expect((sight.redacted(token, on: eve) as? PersonTokenIssued)?.name == nil)
    #expect(sight.redacted(token, on: eve) != nil)
    #expect(Visibility.everything.redacted(token, on: eve) == nil)
  }
}
