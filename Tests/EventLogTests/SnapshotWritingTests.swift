// When snapshots are written, by whom, and which of them stay.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite struct SnapshotThinningTests {
  /// What is left when snapshots were written one interval after another.
  private func left(_ count: Int64, _ limits: SnapshotLimits) -> [Int64] {
    var kept: [Position] = []
    for index in 1...count {
      kept.append(Position(index * limits.intervalEvents + index % 7))
      let gone = Set(limits.superfluous(kept))
      kept.removeAll { gone.contains($0) }
    }
    return kept.map { $0.value / limits.intervalEvents }
  }

  @Test func `the newest stay, then exponentially fewer`() {
    #expect(left(9, .every(100)) == [2, 3, 4, 5, 6, 7, 8, 9])
    #expect(
      left(40, .every(100)) == [
        8, 12, 16, 20, 24, 26, 28, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40,
      ])
    #expect(left(10_000, .every(100)).count < 60)
  }

  @Test func `a state of the past is never farther from a snapshot than its own age`() {
    let limits = SnapshotLimits.every(100)
    for count: Int64 in [1, 2, 5, 17, 64, 100, 333] {
      let kept = left(count, limits)
      for index in 1...count {
        let nearest = kept.last { $0 <= index } ?? 0
        #expect(index - nearest <= max(1, count - index), "\(index) of \(count)")
      }
    }
  }

  @Test func `of two in one interval the later stays`() {
    #expect(SnapshotLimits.every(100).superfluous([210, 290, 310]) == [210])
    #expect(SnapshotLimits.every(100).superfluous([]) == [])
  }

  @Test func `snapshots fall due at whole intervals`() {
    let limits = SnapshotLimits.every(100)
    #expect(limits.due(after: 0) == 100)
    #expect(limits.due(after: 137) == 200)
    #expect(limits.due(after: 200) == 300)
  }
}

@Suite(.database) struct SnapshotWritingTests {
  @Test func `the leader writes one at every interval, and thins them`() async throws {
    let rig = try await Rig.leading(.current)
    var commands = RandomCommands(seed: 6)
    try await withSnapshotter(rig, .fresh(every: 20)) {
      for position in stride(from: 20, through: 400, by: 20) {
        try await rig.grow(to: Position(Int64(position)), &commands)
        let least = Int64(position)
        try await eventually("a snapshot at \(position)") {
          var connection = try Connection(rig.database)
          return try snapshotPositions(&connection).last ?? 0 >= least
        }
      }
    }
    await rig.stop()
    var connection = try Connection(rig.database)
    let positions = try snapshotPositions(&connection)
    #expect(positions.count < 14, "\(positions)")
    #expect(positions.last ?? 0 >= 400)
    let folds = try rig.folds()
    for position in positions {
      let kept = try SnapshotStore.fresh(every: 20).newest(
        upTo: Position(position), on: &connection)
      #expect(kept?.state == folds[Int(position)])
    }
  }

  @Test func `a follower writes when nothing of its format comes`() async throws {
    let rig = try await Rig.leading(.current)
    let follower = try Rig(rig.database, instance: "two")
    var commands = RandomCommands(seed: 7)
    try await withSnapshotter(follower, .fresh(every: 20)) {
      try await rig.grow(to: 39, &commands)
      _ = await follower.member.board.wait(for: 39, upTo: .seconds(300))
      try await rig.grow(to: 60, &commands)
      try await eventually("the follower wrote one") {
        var connection = try Connection(rig.database)
        return try snapshotPositions(&connection).last ?? 0 >= 40
      }
    }
    await follower.stop()
    await rig.stop()
  }

  @Test func `an append does not wait for a snapshot that cannot be written`() async throws {
    let rig = try await Rig.leading(.current)
    var commands = RandomCommands(seed: 9)
    try await withSnapshotter(rig, .fresh(every: 20)) {
      var blocker = try Connection(rig.database)
      try blocker.script("BEGIN; LOCK TABLE log.snapshots IN ACCESS EXCLUSIVE MODE")
      try await rig.grow(to: 150, &commands)
      try await eventually("a snapshot waits for the lock") {
        var connection = try Connection(rig.database)
        return try connection.query(
          """
          SELECT count(*) FROM pg_stat_activity
          WHERE application_name = 'wharfd-snapshots' AND wait_event_type = 'Lock'
            AND datname = current_database()
          """)[0].decode(Int64.self, at: 0) == 1
      }
      let before = rig.head.state.position
      try await rig.grow(to: before + 50, &commands)
      try blocker.script("ROLLBACK")
      try await eventually("it is written once the lock is gone") {
        var connection = try Connection(rig.database)
        return try snapshotPositions(&connection).last ?? 0 >= 150
      }
    }
    await rig.stop()
  }

  @Test func `killed in between, a snapshot is whole or not there`() async throws {
    let rig = try await Rig.leading(.current)
    var commands = RandomCommands(seed: 11)
    try await rig.grow(to: 120, &commands)
    // So many rows that a kill comes in their midst.
    var limits = SnapshotLimits.every(20)
    limits.chunkBytes = 16
    let store = SnapshotStore(secret: Rig.secret, limits: limits, logger: LogLines().logger)
    var holder = try Connection(rig.database)
    try holder.script(
      """
      CREATE FUNCTION log.hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
      SELECT pg_advisory_lock(1);
      """)
    try await withSnapshotter(rig, store) {
      // Each is held up at such a row, and killed there.
      for (table, row) in [
        ("snapshots", "true"), ("snapshot_chunks", "NEW.number = 0"),
        ("snapshot_chunks", "NEW.number = 1"), ("snapshot_chunks", "NEW.number = 100"),
      ] {
        try holder.script(
          """
          CREATE TRIGGER hold AFTER INSERT ON log.\(table) FOR EACH ROW WHEN (\(row))
            EXECUTE FUNCTION log.hold()
          """)
        try await rig.grow(to: rig.head.state.position + 20, &commands)
        try await eventually("one is killed at \(table), \(row)") {
          try holder.query(
            """
            SELECT pg_terminate_backend(pid, 300000) FROM pg_stat_activity
            WHERE application_name = 'wharfd-snapshots' AND datname = current_database()
              AND wait_event = 'advisory'
            """
          ).count > 0
        }
        let broken = try holder.query(
          """
          SELECT position FROM log.snapshots s WHERE size <>
            (SELECT coalesce(sum(octet_length(bytes)), 0) FROM log.snapshot_chunks c
             WHERE c.format = s.format AND c.position = s.position)
          """)
        #expect(broken.count == 0)
        // One that tries again meanwhile is let go first.
        try holder.script("SELECT pg_advisory_unlock(1)")
        try holder.script("DROP TRIGGER hold ON log.\(table)")
        try holder.script("SELECT pg_advisory_lock(1)")
      }
      try await rig.grow(to: rig.head.state.position + 20, &commands)
      let head = rig.head.state.position
      try await eventually("a snapshot is written after all") {
        var connection = try Connection(rig.database)
        return try snapshotPositions(&connection).last ?? 0 >= head.value / 20 * 20
      }
    }
    await rig.stop()
    var connection = try Connection(rig.database)
    let kept = try #require(try SnapshotStore.fresh(every: 20).newest(on: &connection))
    let folds = try rig.folds()
    #expect(kept.state == folds[Int(kept.state.position.value)])
  }
}
