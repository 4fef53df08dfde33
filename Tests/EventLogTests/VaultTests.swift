// Personal data at the log's edge: sealed in every row, opened for whoever has the key, and never
// mistaken for forgotten while the key is there.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite struct PersonKeyTests {
  private let key = PersonKey(bytes: [UInt8](repeating: 5, count: 32))
  private let person = ID<Person>(17)

  @Test func `a box opens with its key, at its place, and nowhere else`() {
    let box = key.seal("ada", of: person, at: 17, field: "name")
    #expect(key.open(box, at: 17, field: "name") == "ada")
    #expect(key.open(box, at: 18, field: "name") == nil)
    #expect(key.open(box, at: 17, field: "email") == nil)
    let others = SealedBox(of: ID(18), box: box.box)
    #expect(key.open(others, at: 17, field: "name") == nil)
    let other = PersonKey(bytes: [UInt8](repeating: 6, count: 32))
    #expect(other.open(box, at: 17, field: "name") == nil)
    for index in box.box.indices {
      var bytes = box.box
      bytes[index] ^= 1
      #expect(key.open(SealedBox(of: person, box: bytes), at: 17, field: "name") == nil)
    }
    #expect(key.open(SealedBox(of: person, box: []), at: 17, field: "name") == nil)
  }

  @Test func `the same text at the same place is the same box, any other has another nonce`() {
    let boxes = [
      key.seal("ada", of: person, at: 17, field: "name"),
      key.seal("bob", of: person, at: 17, field: "name"),
      key.seal("ada", of: person, at: 18, field: "name"),
      key.seal("ada", of: person, at: 17, field: "email"),
      key.seal("ada", of: ID(18), at: 17, field: "name"),
    ]
    #expect(boxes[0] == key.seal("ada", of: person, at: 17, field: "name"))
    #expect(Set(boxes.map { Array($0.box.prefix(12)) }).count == boxes.count)
  }

  @Test func `a box says little about the length of its text`() {
    let lengths = ["a", "ada", String(repeating: "x", count: 31)].map {
      key.seal($0, of: person, at: 17, field: "name").box.count
    }
    #expect(Set(lengths).count == 1)
    let long = String(repeating: "é", count: 200)
    #expect(
      key.open(key.seal(long, of: person, at: 1, field: "reason"), at: 1, field: "reason") == long)
  }

  @Test func `a wrapped key opens with its cluster secret and for its person only`() {
    let vault = VaultKey(Rig.secret)
    let wrapped = vault.wrap(key, of: person)
    #expect(vault.unwrap(wrapped, of: person) == key)
    #expect(vault.unwrap(wrapped, of: ID(18)) == nil)
    let other = ClusterSecret(bytes: [UInt8](repeating: 8, count: 32))
    #expect(VaultKey(other).unwrap(wrapped, of: person) == nil)
    #expect(!wrapped.hexadecimal.contains(key.bytes.hexadecimal))
  }
}

@Suite(.database) struct VaultTests {
  private static let reason = Text("since Grace Hopper asked for it")

  /// Person/5 of a rig, the first admin.
  private static let admin = Principal(actor: .of(Stream(.person, 5)), role: .admin)

  private func rig(_ adjust: (inout LogSettings) -> Void = { _ in }) async throws -> Rig {
    let rig = try await Rig.leading(.current, adjust: adjust)
    try await rig.send(
      AdmitFirstAdmin(name: Name(known: "admin"), token: .zero, prefix: Text("whp_first")),
      by: .wharfd)
    return rig
  }

  private func say(
    _ rig: Rig, _ command: any Command, by principal: Principal = Self.admin
  ) async throws -> Receipt {
    try await rig.member.submit(
      CommandRequest(id: .random(), command: command, principal: principal, reason: Self.reason))
  }

  /// Sends it with a reason; a refusal is an answer.
  private func attempt(_ rig: Rig, _ wish: Wish) async throws {
    let request = CommandRequest(
      id: .random(), command: wish.command, principal: wish.principal, reason: Self.reason)
    do throws(SubmitFailure) {
      _ = try await rig.member.submit(request)
    } catch {
      switch error {
      case .refused, .changesNothing: break
      case .idUsedOtherwise, .busy, .notLeading, .unavailable, .outOfTouch, .outcomeUnknown:
        throw error
      }
    }
  }

  private static func isMachines(_ event: StoredEvent) -> Bool {
    switch event.actor {
    case .wharfd: true
    case .of(let stream): stream.kind != .person
    }
  }

  private func invite(_ name: String) -> InvitePerson {
    InvitePerson(
      name: Name(known: name), email: try! Email("\(name)@example.org"), role: .operator,
      invitation: Digest(bytes: (0..<32).map { _ in .random(in: .min ... .max) }))
  }

  private func people(_ rig: Rig) throws -> [(person: Int64, isThere: Bool)] {
    var connection = try Connection(rig.database)
    return try connection.query(
      "SELECT person, wrapped IS NOT NULL FROM vault.person_keys ORDER BY person"
    ).map { (try $0.decode(Int64.self, at: 0), try $0.decode(Bool.self, at: 1)) }
  }

  private func destroy(_ person: Int64, at position: Int64, _ rig: Rig) throws {
    var connection = try Connection(rig.database)
    try connection.execute(
      VaultStatements.destroy([(id: ID(Position(person)), forgotten: Position(position))]))
  }

  @Test(arguments: UInt64(1)...3)
  func `no stored row of a random history holds a name, an address or a reason`(seed: UInt64)
    async throws
  {
    let rig = try await rig()
    var commands = RandomCommands(seed: seed)
    var names: Set<String> = []
    while rig.head.state.position < 250 {
      let wish = commands.next(rig.head.state)
      if let invite = wish.command as? InvitePerson { names.insert(invite.name.text) }
      try await attempt(rig, wish)
    }
    await rig.stop()
    let events = try rig.verified()
    #expect(names.count > 1 && events.contains { $0.type == "personInvited" })
    for event in events {
      let text = String(decoding: event.data + event.metadata, as: UTF8.self)
      if event.type == "personInvited" {
        for name in names { #expect(!text.contains("\"\(name)\""), "\(event.position)") }
      }
      #expect(!text.contains("@example"), "\(event.position)")
      #expect(Self.isMachines(event) || !text.contains("Hopper"), "\(event.position) \(text)")
    }
    // All of it opens, for who has the keys.
    let keys = try rig.keysAtHand()
    var state = HostingState()
    for event in events {
      try state.fold(event, keys)
      if let reason = try keys.reason(of: event) { #expect(reason == .known(Self.reason)) }
    }
    #expect(state == rig.head.state)
  }

  @Test func `a key is stored with the first event that needs it, and once`() async throws {
    let rig = try await rig()
    #expect(try people(rig).map(\.person) == [5])
    let invited = try await say(rig, invite("grace"))
    let person = invited.events[0].stream.origin
    #expect(try people(rig).map(\.person) == [5, person.value])
    _ = try await say(rig, invite("grace"))
    #expect(try people(rig).count == 2)
    // A command that is not stored stores no key.
    await #expect(throws: SubmitFailure.self) {
      try await say(rig, SuspendProvider(provider: Name(known: "x")))
    }
    #expect(try people(rig).count == 2)
    await rig.stop()
  }

  @Test func `a new leader seals with the keys that are there`() async throws {
    let one = try await rig()
    let receipt = try await say(one, invite("grace"))
    await one.stop()
    let two = try Rig(one.database, instance: "two")
    try await two.leads()
    _ = try await say(two, invite("grace"))
    _ = try await say(two, PlaceMark(name: Name(known: "m")))
    #expect(try people(two).map(\.person) == [5, receipt.events[0].stream.origin.value])
    #expect(two.head.state.persons.named(Name(known: "grace"))?.email?.shown == "grace@example.org")
    await two.stop()
  }

  @Test func `a key that another stored is found, and the command is decided again`() async throws {
    let rig = try await rig()
    // As nobody does who appends: a key without an event.
    let person = rig.head.state.position.next
    let key = PersonKey(bytes: [UInt8](repeating: 9, count: 32))
    var connection = try Connection(rig.database)
    try connection.execute(
      """
      INSERT INTO vault.person_keys (person, wrapped)
      VALUES (\(person.value), \(VaultKey(Rig.secret).wrap(key, of: ID(person))))
      """)
    let receipt = try await rig.send(invite("grace"), by: Self.admin)
    #expect(receipt.events[0].stream.origin == person)
    guard case .sealed(let box)? = (try receipt.events[0].decoded() as? PersonInvited)?.name else {
      Issue.record("the name is not sealed")
      return
    }
    #expect(key.open(box, at: person, field: "name") == "grace")
    await rig.stop()
  }

  @Test func `a reader whose keys are older than an event opens it all the same`() async throws {
    let rig = try await rig()
    let reader = LogReader(pool: try Pool(rig.database), keys: PersonKeys(Rig.secret))
    _ = try await reader.events(after: .empty, limit: 100)
    let follower = try Rig(rig.database, instance: "two")
    for index in 0..<20 {
      let receipt = try await say(rig, invite("grace-\(index)"))
      let event = try #require(
        try await reader.events(
          after: Position(receipt.position.value - 1), limit: 1
        ).first)
      let opened = try event.decoded(reader.keys) as? PersonInvited
      #expect(opened?.name.shown == "grace-\(index)")
      #expect(try reader.keys.reason(of: event) == .known(Self.reason))
      let state = try await reader.state(at: receipt.position)
      #expect(state.persons.named(Name(known: "grace-\(index)")) != nil)
      let head = await follower.member.board.wait(for: receipt.position, upTo: .seconds(300))
      #expect(head?.state == rig.head.state)
    }
    await follower.stop()
    await rig.stop()
  }

  @Test func `without a key every state of the past shows nobody, and the chain verifies`()
    async throws
  {
    let rig = try await rig()
    let person = try await say(rig, invite("grace")).events[0].stream.origin
    let before = rig.head.state.position
    let forgotten = try await rig.send(
      ForgetPerson(person: .name(Name(known: "grace"))), by: Self.admin)
    let reader = LogReader(pool: try Pool(rig.database), keys: rig.member.keys)
    // At once in this program, whatever the database still holds.
    #expect(try await reader.state(at: before).persons[ID(person)]?.label == "(forgotten)")
    try destroy(person.value, at: forgotten.position.value, rig)
    for keys in [PersonKeys(Rig.secret), PersonKeys.none] {
      let state = try await LogReader(pool: try Pool(rig.database), keys: keys).state(at: before)
      #expect(state.persons[ID(person)]?.label == "(forgotten)")
      #expect(state.persons[ID(person)]?.email == .forgotten)
      #expect(state.persons.named(Name(known: "grace")) == nil)
    }
    await rig.stop()
    let sound = try Verification.run(rig.database) { _, _ in }
    #expect(sound.position == rig.head.state.position && sound.hash == rig.head.hash)
    let again = try Rig(rig.database, instance: "two")
    try await again.leads()
    #expect(again.head.state.persons == rig.head.state.persons)
    await again.stop()
  }

  @Test func `for someone whose key is destroyed none is ever made again`() async throws {
    let rig = try await rig()
    try destroy(5, at: 1, rig)
    await rig.stop()
    let again = try Rig(rig.database, instance: "two")
    try await again.leads()
    let receipt = try await say(again, PlaceMark(name: Name(known: "m")))
    #expect(
      String(decoding: receipt.events[0].metadata, as: UTF8.self) == #"{"reason":"(forgotten)"}"#)
    #expect(try people(again).map(\.isThere) == [false])
    await again.stop()
  }

  @Test func `another cluster secret opens nothing, and says what to do`() async throws {
    let rig = try await rig()
    await rig.stop()
    let keys = PersonKeys(ClusterSecret(bytes: [UInt8](repeating: 8, count: 32)))
    var connection = try Connection(rig.database)
    let error = #expect(throws: LogError.self) { try keys.prepareAll(&connection) }
    #expect(error == .foreignKey(person: "person/5"))
    #expect(error?.description.contains("copy the file") == true)
  }

  @Test func `on a log of before, reasons stay as they are until it is raised`() async throws {
    let first = try await Rig.leading(.current, adjust: { $0.formatLevel = 1 })
    await first.stop()
    let rig = try Rig(first.database, instance: "new")
    try await rig.leads()
    let clear = try await say(rig, PlaceMark(name: Name(known: "m")))
    #expect(clear.events[0].metadata == Array("{\"reason\":\"\(Self.reason)\"}".utf8))
    let failure = await #expect(throws: SubmitFailure.self) { try await say(rig, invite("grace")) }
    guard case .refused(let refusal, _) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(
      refusal.code == "formatLevelTooLow" && refusal.help.contains("wharfd finalize"))
    _ = try Finalization.run(rig.database, secret: Rig.secret, makeCommandID: { .random() })
    try await eventually("the level is known") {
      rig.head.state.log.formatLevel == FormatLevel.current
    }
    let sealed = try await say(rig, invite("grace"))
    #expect(!String(decoding: sealed.events[0].metadata, as: UTF8.self).contains("Grace"))
    // Forgotten, what they said before is shown no more either, though it stands there.
    rig.member.keys.forget(ID(5), at: 9)
    #expect(try rig.member.keys.reason(of: clear.events[0]) == .forgotten)
    await rig.stop()
  }

  @Test func `a snapshot of before a forgetting is neither read nor written`() async throws {
    let rig = try await rig()
    let person = try await say(rig, invite("grace")).events[0].stream.origin
    let old = KeptState(state: rig.head.state, hash: rig.head.hash)
    var connection = try Connection(rig.database)
    let store = SnapshotStore(secret: Rig.secret, keys: rig.member.keys, logger: LogLines().logger)
    #expect(try store.write(old, on: &connection))
    #expect(try store.newest(on: &connection)?.state == old.state)
    let position = try await rig.send(
      ForgetPerson(person: .id(ID(person))), by: Self.admin
    ).position
    // This program knows; one that was started a moment ago does not, before the key is destroyed.
    #expect(try store.newest(on: &connection) == nil)
    #expect(try SnapshotStore.fresh().newest(on: &connection) != nil)
    try destroy(person.value, at: position.value, rig)
    #expect(try SnapshotStore.fresh().newest(on: &connection) == nil)
    #expect(try !SnapshotStore.fresh().write(old, on: &connection))
    let new = KeptState(state: old.state, hash: old.hash, made: position)
    #expect(try SnapshotStore.fresh().write(new, on: &connection))
    #expect(try SnapshotStore.fresh().newest(on: &connection)?.made == position)
    await rig.stop()
  }

  @Test func `a snapshot's bytes say nothing to who has not the cluster secret`() async throws {
    let rig = try await rig()
    _ = try await say(rig, invite("grace"))
    await rig.stop()
    var connection = try Connection(rig.database)
    try SnapshotStore.fresh().write(
      KeptState(state: rig.head.state, hash: rig.head.hash), on: &connection)
    let rows = try connection.query("SELECT bytes FROM log.snapshot_chunks")
    for row in rows {
      #expect(try !row.decode([UInt8].self, at: 0).contains(Array("grace".utf8)))
    }
  }
}
