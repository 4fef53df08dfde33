// Forgetting a person: who may, what is left in the state, and what a fold makes of what cannot be
// opened.

import HashTreeCollections
import TestKit
import Testing

import struct Hosting.Stream

@testable import Hosting

@Suite struct ErasureTests {
  private let now = World.start
  private let ann = ID<Person>(1)
  private let bob = ID<Person>(3)

  /// Ann, an admin, and bob, an operator with a token.
  private var two: Given {
    given(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)
      .and(
        InvitePerson(
          name: "bob", email: try! Email("bob@example.com"), role: .operator,
          invitation: .numbered(2))
      )
      .and(
        AcceptInvitation(token: .numbered(3), prefix: "wt_bob"),
        by: Principal(actor: .of(bob.stream), role: .invited))
  }

  private func forget(_ name: Name) -> ForgetPerson { ForgetPerson(person: .name(name)) }

  @Test func `who is forgotten has no name, no e-mail and no token, and keeps the id`() throws {
    let forgotten = two.when(forget("bob")).then(PersonForgotten())
    let person = try #require(forgotten.world.state.persons[bob])
    #expect(person.name == .forgotten && person.email == .forgotten)
    #expect(person.label == "(forgotten)" && person.status == .forgotten)
    #expect(person.tokens.isEmpty && person.forgotten == forgotten.world.state.position)
    #expect(forgotten.world.state.principal(presenting: .numbered(3), now: now) == nil)
    #expect(forgotten.world.state.label(of: bob.stream) == "(forgotten)")
    #expect(forgotten.world.state.unerased == [bob])
  }

  @Test func `forgetting is for admins, of those who are known, and never of the last admin`() {
    two.when(forget("eve")).thenRefused("unknownPerson")
    two.when(ForgetPerson(person: .id(ID(77)))).thenRefused("unknownPerson")
    two.when(forget("bob"), by: Principal(actor: .of(bob.stream), role: .operator))
      .thenRefused("notAllowed")
    two.when(forget("ann")).thenRefused("lastAdmin")
  }

  @Test func `a second time changes nothing, and by name nobody is found any more`() {
    let forgotten = two.and(forget("bob"))
    forgotten.when(ForgetPerson(person: .id(bob))).thenNothing()
    forgotten.when(forget("bob")).thenRefused("unknownPerson")
    forgotten.when(DisablePerson(name: "bob")).thenRefused("unknownPerson")
  }

  @Test func `the name is free again, for someone else`() throws {
    let again = two.and(forget("bob"))
      .and(InvitePerson(name: "BOB", role: .viewer, invitation: .numbered(5)))
    let state = again.world.state
    let new = try #require(state.persons.named("bob"))
    #expect(new.id != bob && new.name == .known("BOB"))
    #expect(state.persons[bob]?.status == .forgotten)
  }

  @Test func `what is carried out is noted once, and of those forgotten only`() {
    let note = NoteErasure(persons: [bob, ann], snapshots: 3)
    two.when(note, by: .wharfd).thenNothing()
    let erased = two.and(forget("bob")).when(note, by: .wharfd).then(PersonErased(snapshots: 3))
    #expect(erased.world.state.persons[bob]?.erased == erased.world.state.position)
    #expect(erased.world.state.unerased == [])
    erased.when(note, by: .wharfd).thenNothing()
    erased.when(note).thenRefused("notAllowed")
  }

  @Test func `a command of someone forgotten meanwhile is refused`() {
    two.and(forget("bob"))
      .when(PlaceMark(name: "m"), by: Principal(actor: .of(bob.stream), role: .operator))
      .thenRefused("personForgotten")
  }

  /// The fold with every key, with some, and with none: all go through, and after the forgetting they
  /// are one.
  @Test(arguments: UInt64(1)...6)
  func `a log folds whatever keys are left, and who is forgotten leaves no trace`(seed: UInt64)
    throws
  {
    var history = try RandomHistory(seed: seed)
    try history.grow(to: 600)
    var random = SplitMix64(seed: seed)
    let log = history.world.log
    let forgotten = Set(
      log.filter { $0.event is PersonForgotten }.map { ID<Person>($0.fact.stream.origin) })
    #expect(!forgotten.isEmpty)
    var (destroyed, none) = (HostingState(), HostingState())
    for recorded in log {
      let person = ID<Person>(recorded.fact.stream.origin)
      var event = recorded.event
      if let holder = event as? any HoldsPersonal, forgotten.contains(person) {
        event = try holder.changingPersonal { _, _ in .forgotten }
      }
      try destroyed.evolve(event, recorded.fact)
      if let holder = event as? any HoldsPersonal, Bool.random(using: &random) {
        event = try holder.changingPersonal { _, _ in .forgotten }
      }
      try none.evolve(event, recorded.fact)
    }
    #expect(destroyed == history.world.state)
    #expect(destroyed.snapshotBytes == history.world.state.snapshotBytes)
    #expect(none.persons.count == destroyed.persons.count)
  }

  @Test func `on a log of before, an invitation says what to do first`() {
    let old = Given(World(formatLevel: FormatLevel.first))
    old.when(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)
      .thenRefused("formatLevelTooLow")
    let raised = old.and(RaiseFormatLevel(level: 2, readers: []), by: .wharfd)
    raised.when(AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_ann"), by: .wharfd)
      .then(
        PersonInvited(name: .known("ann"), role: .admin, invitation: .numbered(1), until: now),
        PersonTokenIssued(token: .numbered(1), prefix: "wt_ann"))
  }

  @Test func `someone of a log of before is known to stand in it as they are`() throws {
    var world = World(formatLevel: FormatLevel.first)
    try world.happen(
      PersonInvited(name: .known("ann"), role: .admin, invitation: .numbered(1), until: now),
      on: Stream(.person, 1))
    try world.perform(RaiseFormatLevel(level: 2, readers: []), by: .wharfd)
    try world.perform(
      InvitePerson(name: "bob", role: .viewer, invitation: .numbered(2)), by: .testAdmin)
    #expect(world.state.persons.named("ann")?.inClear == true)
    #expect(world.state.persons.named("bob")?.inClear == false)
  }

  @Test func `a sealed value never gets into a state`() {
    var world = World()
    let sealed = Personal<Name>.sealed(SealedBox(of: ID(1), box: [1, 2, 3]))
    #expect(throws: Contradiction.self) {
      try world.happen(
        PersonInvited(name: sealed, role: .admin, invitation: .numbered(1), until: now),
        on: Stream(.person, 1))
    }
  }

  @Test func `events with personal fields stand on streams of persons`() throws {
    for event in GoldenTests.allExamples where event is any HoldsPersonal {
      let ofPersons = PersonEvents.types + TokenEvents.types
      #expect(ofPersons.contains { $0.type == type(of: event).type })
    }
    #expect(GoldenTests.allExamples.contains { $0 is any HoldsPersonal })
  }

  @Test(
    arguments: [
      #"{"of":17}"#, #"{"box":"00","of":17}"#, #"{"of":-1,"box":"00"}"#, #"{"of":17,"box":"0"}"#,
      #"{"of":17,"box":"00","more":1}"#, #"17"#, #"["ada"]"#,
    ])
  func `what is neither a text nor a sealed box is refused`(text: String) throws {
    let json = try JSONValue(document: Array(text.utf8))
    #expect(throws: JSONProblem.self) { try Personal<Name>(json: json) }
    #expect(Personal<Name>(canonicalDocument: Array(text.utf8)) == nil)
  }

  @Test(arguments: ["ada@example.com", "a@b", "x+y@z.org"])
  func `an e-mail address is taken as it is`(text: String) throws {
    #expect(try Email(text).text == text)
  }

  @Test(arguments: ["", "ada", "@b", "a@", "a@b@c", "a b@c", "a@ü", "a@b\n"])
  func `what is no e-mail address is refused`(text: String) {
    #expect(throws: Malformed.self) { try Email(text) }
  }
}
