// A wharfd neither leads a log nor answers from it that holds less than it saw, before it was started anew, or
// than a caller of it saw: until the log has caught up, or somebody says that it goes on from there.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

/// What a run leaves to the next.
private final class Memory: HeadKeeping {
  private let head = Mutex<HeadWitness?>(nil)
  var kept: HeadWitness? { head.withLock { $0 } }
  func keep(_ new: HeadWitness) { head.withLock { $0 = new } }
}

/// At the first look at what was seen something happens, and the log was read just before.
private final class InterruptedMemory: HeadKeeping {
  private let head: Mutex<HeadWitness>
  private let interrupt: Mutex<(@Sendable () throws -> Void)?>

  init(_ head: HeadWitness, _ interrupt: @escaping @Sendable () throws -> Void) {
    self.head = Mutex(head)
    self.interrupt = Mutex(interrupt)
  }

  var kept: HeadWitness? {
    let first = interrupt.withLock { interrupt in
      defer { interrupt = nil }
      return interrupt
    }
    do { try first?() } catch { Issue.record(error) }
    return head.withLock { $0 }
  }

  func keep(_ new: HeadWitness) { head.withLock { $0 = new } }
}

@Suite(.database, .bounded) struct ShortOfSeenTests {
  /// A log whose last events are put aside, as an old primary lacks them.
  ///
  /// - Returns: what was seen of it.
  private func shortLog(_ memory: Memory) async throws -> HeadWitness {
    let rig = try await Rig.leading(.current) { $0.memory = memory }
    let kept = try await rig.send(PlaceMark(name: Name(known: "kept")))
    for step in 0..<5 { try await rig.send(PlaceMark(name: Name(known: "lost-\(step)"))) }
    let seen = rig.head.witness
    #expect(memory.kept == seen, "it is kept before anybody is told")
    await rig.stop()
    var connection = try TestDatabase.current.connect()
    try connection.script("CREATE TABLE aside AS SELECT * FROM log.events")
    try connection.script(ChainSQL.cut(after: kept.position.value))
    return seen
  }

  private static let rest = """
    INSERT INTO log.events SELECT * FROM aside
    WHERE position > (SELECT max(position) FROM log.events) ORDER BY position
    """

  private func catchUp() throws {
    var connection = try TestDatabase.current.connect()
    try connection.script(Self.rest)
  }

  private func refuses(_ rig: Rig, _ seen: HeadWitness) async throws {
    try await eventually("it says why") { rig.member.board.obstacle != nil }
    #expect(rig.head.standing == .starting)
    let obstacle = try #require(rig.member.board.obstacle)
    #expect(obstacle.contains("position \(seen.position) of era \(seen.era)"), "\(obstacle)")
    await #expect(throws: SubmitFailure.self) {
      try await rig.send(PlaceMark(name: Name(known: "refused")))
    }
  }

  private func end() throws -> Int64 {
    var connection = try TestDatabase.current.connect()
    return try connection.query("SELECT max(position) FROM log.events")[0].decode(Int64.self, at: 0)
  }

  @Test func `started anew it waits until the log has what it saw before`() async throws {
    let memory = Memory()
    let seen = try await shortLog(memory)
    let before = try end()
    let rig = try Rig(TestDatabase.current.configuration, instance: "again") { $0.memory = memory }
    try await refuses(rig, seen)
    #expect(try end() == before, "it appended")
    #expect(memory.kept == seen, "it forgot")
    try catchUp()
    try await rig.leads()
    #expect(rig.member.board.obstacle == nil)
    #expect(rig.head.state.position > seen.position)
    await rig.stop()
  }

  @Test func `what it read of a log that it says nothing of is no past that it saw`() async throws {
    let seen = try await shortLog(Memory())
    let kept = Position(try end())
    // An old primary went on by itself for a while, and is then gone in the middle of a look at it.
    let database = TestDatabase.current
    var connection = try database.connect()
    try connection.script(ChainSQL.grow(by: 2))
    let memory = InterruptedMemory(seen) {
      var connection = try database.connect()
      try connection.script(ChainSQL.cut(after: kept.value))
      try connection.script(Self.rest)
      try connection.script(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
        """)
    }
    let rig = try Rig(database.configuration, instance: "again") { $0.memory = memory }
    try await rig.leads()
    #expect(rig.head.state.position > seen.position)
    await rig.stop()
  }

  @Test func `a new one that a caller shows more steps down, and remembers it`() async throws {
    let seen = try await shortLog(Memory())
    let memory = Memory()
    // Nothing tells it that the log is short, so it leads, and appends that it does.
    let rig = try await Rig.leading(.current) { $0.memory = memory }
    let before = try end()
    #expect(before < seen.position.value)
    await rig.member.heed(seen, from: false)
    try await refuses(rig, seen)
    #expect(try end() == before)
    await rig.stop()
    let again = try Rig(TestDatabase.current.configuration, instance: "again") {
      $0.memory = memory
    }
    try await refuses(again, seen)
    await again.stop()
  }

  @Test func `a follower that is shown more reads on, and goes on`() async throws {
    let rig = try await Rig.leading(.current)
    let follower = try Rig(TestDatabase.current.configuration, instance: "two") {
      $0.pollInterval = .seconds(60)
      $0.memory = Memory()
    }
    try await eventually("two follows") {
      follower.head.standing == .following(address: "http://one")
    }
    let last = try await rig.send(PlaceMark(name: Name(known: "last")))
    await follower.member.heed(rig.head.witness, from: true)
    #expect(follower.head.state.position >= last.position)
    #expect(follower.head.standing == .following(address: "http://one"))
    // Of a later era a machine is believed, and a person is not.
    let later = HeadWitness(
      era: rig.head.state.position, position: Position(9_999), hash: .zero)
    await rig.member.heed(later, from: false)
    try await rig.send(PlaceMark(name: Name(known: "after")))
    await rig.member.heed(later, from: true)
    try await refuses(rig, later)
    await follower.stop()
    await rig.stop()
  }

  @Test func `a new era that was begun on purpose is led`() async throws {
    let memory = Memory()
    let seen = try await shortLog(memory)
    let rig = try Rig(TestDatabase.current.configuration, instance: "again") { $0.memory = memory }
    try await refuses(rig, seen)
    var connection = try TestDatabase.current.connect()
    let recovery = try Recovery(&connection) { _, _ in }
    _ = try recovery.begin(&connection, commandID: .random(), seal: .zero)
    try await rig.leads()
    #expect(try #require(memory.kept).era > seen.era)
    await rig.stop()
  }

  @Test func `another past under what was kept ends it, loudly`() async throws {
    let memory = Memory()
    let seen = try await shortLog(memory)
    try catchUp()
    var connection = try TestDatabase.current.connect()
    try connection.script(ChainSQL.rewrite(seen.position.value, "actor = 'person/9'"))
    let rig = try Rig(TestDatabase.current.configuration, instance: "again") { $0.memory = memory }
    let error = await #expect(throws: LogError.self) { try await rig.ended() }
    guard case .otherPast(let position, _, _) = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(position == seen.position && memory.kept == seen)
  }
}
