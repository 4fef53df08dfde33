// The database goes away: backends killed, the postmaster killed; `ShortageTests` have them stalled. The
// oracle is the list of acknowledged commands that the test keeps itself.

import Glibc
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.turn, .bounded) struct OutageTests {
  private func rig(on cluster: TestCluster) async throws -> Rig {
    let database = try await cluster.makeDatabase()
    return try await Rig.leading(database) { settings in
      settings.statementTimeout = .seconds(3)
      settings.inbox.waitSeconds = 5
    }
  }

  @Test func `backends killed under load: nothing lost, nothing twice`() async throws {
    let cluster = try await TestCluster.dedicated(settings: .init(fsync: true))
    let rig = try await rig(on: cluster)
    let storm = Storm()
    let running = storm.run({ rig }, clients: 8)
    var connection = try Connection(rig.database)
    for round in 1...15 {
      let before = storm.count
      try await eventually("round \(round) makes progress") { storm.count > before + 20 }
      try connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
      )
    }
    storm.stop()
    await running.value
    try storm.check(rig)
    await rig.stop()
    await cluster.remove()
  }

  @Test func `the postmaster killed under load: recovery without restart, nothing lost`()
    async throws
  {
    let cluster = try await TestCluster.dedicated(settings: .init(fsync: true))
    let rig = try await rig(on: cluster)
    let storm = Storm()
    let running = storm.run({ rig }, clients: 8)
    for round in 1...3 {
      let before = storm.count
      try await eventually("round \(round) makes progress") { storm.count > before + 50 }
      await cluster.killPostmaster()
      try await cluster.start()
    }
    let before = storm.count
    try await eventually("progress after the last kill") { storm.count > before + 50 }
    storm.stop()
    await running.value
    try storm.check(rig)
    await rig.stop()
    await cluster.remove()
  }

  @Test(.database) func `two at once: the log has one order, whoever leads`() async throws {
    let one = try await Rig.leading(.current)
    let two = try Rig(one.database, instance: "two")
    try await eventually("two follows") { two.head.standing == .following(address: "http://one") }
    await #expect(throws: SubmitFailure.notLeading(address: "http://one")) {
      try await two.send(PlaceMark(name: Name(known: "a")))
    }
    let receipt = try await one.send(PlaceMark(name: Name(known: "b")))
    let reached = await two.member.board.wait(for: receipt.position, upTo: .seconds(300))
    #expect(reached != nil)
    await one.stop()
    let watch = Stopwatch()
    try await two.leads()
    #expect(
      watch.seconds < Double(Candidacy.silenceSeconds) / 2,
      "one that says nothing any more is believed in for longer")
    try await two.send(PlaceMark(name: Name(known: "c")))
    _ = try two.verified()
    await two.stop()
  }

  @Test(.database) func `an unknown event type stops a reader loudly, and says where`() async throws
  {
    let rig = try await Rig.leading(.current)
    try await rig.send(PlaceMark(name: Name(known: "a")))
    await rig.stop()
    var connection = try Connection(rig.database)
    try connection.execute(
      """
      INSERT INTO log.events SELECT position + 1, stream, 'fromTheFuture', 1, data, metadata,
        gen_random_uuid(), command_hash, correlation_id, causation, actor, recorded_at, hash
      FROM log.events ORDER BY position DESC LIMIT 1
      """)
    var last = try #require(try events(&connection).last)
    let before = try events(&connection).dropLast().map(\.hash)
    last.hash = Chain.hash(of: last, after: try #require(before.last))
    try connection.script("ALTER TABLE log.events DISABLE TRIGGER ALL")
    try connection.execute(
      "UPDATE log.events SET hash = \(last.hash.bytes) WHERE position = \(last.position.value)")
    let next = try Rig(rig.database, instance: "two")
    let error = await #expect(throws: LogError.self) { try await next.ended() }
    guard case .unreadable(let position, let reason) = error else {
      Issue.record("it stopped for another reason: \(String(describing: error))")
      return
    }
    #expect(position == last.position)
    #expect(reason.contains("fromTheFuture"))
    let left = try events(&connection).count
    #expect(left == Int(last.position.value), "nothing was lost")
  }

  private func events(_ connection: inout Connection) throws -> [StoredEvent] {
    try connection.query(LogStatements.read(after: .empty, limit: 1_000)).map {
      try StoredEvent($0)
    }
  }
}
