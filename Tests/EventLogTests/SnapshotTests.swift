// Snapshots against a real database: whatever becomes of them, the state is that of the log.

import Hosting
import Logging
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database) struct SnapshotTests {
  @Test func `a start from a snapshot is a start from the beginning`() async throws {
    let rig = try await Rig.leading(.current)
    try await withSnapshotter(rig, .fresh()) {
      try await rig.grow(to: 320, seed: 1)
      try await eventually("there is a snapshot past 300") {
        var connection = try Connection(rig.database)
        return try snapshotPositions(&connection).last ?? 0 >= 300
      }
    }
    await rig.stop()
    let expected = try #require(try rig.folds().last)
    let lines = LogLines()
    let store = SnapshotStore.fresh(lines: lines)
    let later = try Rig(rig.database, instance: "two") { $0.snapshots = store }
    try await later.leads()
    let read = try #require(try later.folds().last)
    #expect(read == later.head.state)
    #expect(later.head.state.position > expected.position)
    #expect(lines.all == [], "nothing was passed over")
    var connection = try Connection(rig.database)
    let kept = try #require(try store.newest(on: &connection))
    #expect(kept.state.position >= 300)
    await later.stop()
  }

  @Test func `a state of the past is the fold to it, before, at and after every snapshot`()
    async throws
  {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 200, seed: 2)
    let folds = try rig.folds()
    let pool = try Pool(rig.database)
    let store = SnapshotStore.fresh()
    try await pool.withConnection { connection in
      for position: Position in [60, 110, 160] {
        try writeSnapshot(at: position, of: rig, store, &connection)
      }
    }
    let reader = LogReader(pool: pool, keys: PersonKeys(Rig.secret), snapshots: .fresh())
    for position in [0, 1, 59, 60, 61, 109, 110, 111, 160, 161, 199] {
      let state = try await reader.state(at: Position(Int64(position)))
      #expect(state == folds[position], "position \(position)")
    }
    // Read from the snapshots in truth: without the events below, it works all the same.
    try await pool.withConnection { connection in
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER ALL;
        DELETE FROM log.events WHERE position BETWEEN 2 AND 50;
        """)
    }
    let late = try await LogReader(pool: pool, keys: PersonKeys(Rig.secret), snapshots: .fresh())
      .state(at: 75)
    #expect(late == folds[75])
    await rig.stop()
    await pool.close()
  }

  @Test(arguments: [
    "DELETE FROM log.snapshots WHERE position = 110",
    "DELETE FROM log.snapshot_chunks WHERE position = 110 AND number = 1",
    "UPDATE log.snapshot_chunks SET bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1) "
      + "WHERE position = 110 AND number = 0",
    "UPDATE log.snapshots SET seal = sha256('x') WHERE position = 110",
    "UPDATE log.snapshots SET seal = 'short' WHERE position = 110",
    "UPDATE log.snapshots SET era = era + 1 WHERE position = 110",
    "UPDATE log.snapshots SET size = size + 1 WHERE position = 110",
    "UPDATE log.snapshots SET hash = sha256('another log') WHERE position = 110",
    "UPDATE log.snapshots SET format = sha256('another form') WHERE position = 110",
    "DELETE FROM log.snapshots",
  ])
  func `what does not fit is passed over, and the state is the same`(damage: String) async throws {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 150, seed: 3)
    let expected = try rig.folds()[130]
    await rig.stop()
    var limits = SnapshotLimits.every(50)
    limits.chunkBytes = 1_000
    var connection = try Connection(rig.database)
    for position: Position in [60, 110] {
      try writeSnapshot(
        at: position, of: rig,
        SnapshotStore(secret: Rig.secret, limits: limits, logger: LogLines().logger), &connection)
    }
    try connection.script(
      """
      ALTER TABLE log.snapshot_chunks DROP CONSTRAINT snapshot_chunks_format_position_fkey;
      \(damage);
      """)
    let lines = LogLines()
    let store = SnapshotStore.fresh(lines: lines)
    let kept = try store.newest(on: &connection)
    #expect(kept?.state.position == (damage == "DELETE FROM log.snapshots" ? nil : 60))
    if damage.hasPrefix("UPDATE log.snapshots SET format") == false,
      damage.hasPrefix("DELETE FROM log.snapshots") == false
    {
      #expect(lines.contain("the snapshot at position 110 is passed over"), "\(lines.all)")
    }
    let pool = try Pool(rig.database)
    let state = try await LogReader(pool: pool, keys: PersonKeys(Rig.secret), snapshots: .fresh())
      .state(at: 130)
    #expect(state == expected)
    await pool.close()
  }

  @Test func `only snapshots of another format are said, and not read`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 80, seed: 4)
    await rig.stop()
    var connection = try Connection(rig.database)
    let other = Digest(sha256Of: Array("another form".utf8))
    try writeSnapshot(at: 60, of: rig, .fresh(format: other), &connection)
    let lines = LogLines()
    let kept = try SnapshotStore.fresh(lines: lines).newest(on: &connection)
    #expect(kept == nil)
    #expect(lines.contain("of another format"))
  }

  @Test func `a snapshot that was made with another secret is passed over`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 80, seed: 4)
    await rig.stop()
    var connection = try Connection(rig.database)
    let forger = ClusterSecret(bytes: [UInt8](repeating: 8, count: ClusterSecret.byteCount))
    try writeSnapshot(
      at: 60, of: rig,
      SnapshotStore(secret: forger, limits: .every(50), logger: LogLines().logger), &connection)
    let kept = try SnapshotStore.fresh().newest(on: &connection)
    #expect(kept == nil)
  }

  @Test func `a state kept in memory is not used for another log`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 80, seed: 5)
    await rig.stop()
    var connection = try Connection(rig.database)
    let store = SnapshotStore.fresh()
    try writeSnapshot(at: 60, of: rig, store, &connection)
    try connection.script("DELETE FROM log.snapshots")
    #expect(try store.newest(on: &connection)?.state.position == 60)
    try connection.script(
      """
      ALTER TABLE log.events DISABLE TRIGGER ALL;
      UPDATE log.events SET hash = sha256('another') WHERE position = 60;
      """)
    #expect(try store.newest(on: &connection)?.state.position == nil)
  }

  @Test func `a snapshot of another log goes with the next that is written`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.grow(to: 120, seed: 6)
    await rig.stop()
    var connection = try Connection(rig.database)
    try writeSnapshot(at: 50, of: rig, .fresh(), &connection)
    try connection.script("UPDATE log.snapshots SET hash = sha256('another log')")
    try writeSnapshot(at: 100, of: rig, .fresh(), &connection)
    #expect(try snapshotPositions(&connection) == [100])
    _ = try SnapshotStore.fresh().discardAll(on: &connection)
    #expect(try snapshotPositions(&connection) == [])
  }
}

/// Runs `body` while snapshots of the rig's head are written.
func withSnapshotter(
  _ rig: Rig, _ store: SnapshotStore, _ body: () async throws -> Void
) async throws {
  let snapshotter = try Snapshotter(
    board: rig.member.board, store: store, database: rig.database, logger: LogLines().logger)
  let task = Task { await snapshotter.run() }
  do { try await body() } catch {
    task.cancel()
    await task.value
    throw error
  }
  task.cancel()
  await task.value
}
