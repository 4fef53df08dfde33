// The projector against a real database: equal to the fold whatever happens to it.

import Foundation
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

/// What a test throws into a projector to kill it at a statement.
private struct Killed: Error {}

@Suite(.database) struct ViewsProjectorTests {
  /// A log of the test's own, stored, with views at its start.
  private static func stored(
    seed: UInt64, _ count: Int, _ connection: inout Connection
  ) throws -> RandomLog {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
    var log = try RandomLog(seed: seed)
    try log.grow(by: count)
    try log.store(&connection)
    return log
  }

  @Test(arguments: UInt64(1)...4)
  func `views equal the fold after random commands`(seed: UInt64) async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: seed)
    try await withProjector(rig) {
      try await rig.send(&commands, count: 500)
      try await viewsCatchUp(rig)
    }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `stopped after any statement a hundred times, the next projector goes on`()
    async throws
  {
    try await onThread { connection in
      let log = try Self.stored(seed: 11, 700, &connection)
      var random = SeededGenerator(seed: 11)
      var projection = Projection(keys: log.keys)
      var kills = 0
      while projection.position.value < log.events.count {
        let start = Int(projection.position.value)
        let size = Int.random(in: 1...15, using: &random)
        let batch = Array(log.events[start..<min(start + size, log.events.count)])
        let fatal = kills < 120 ? Int.random(in: 1...8, using: &random) : .max
        var store = ViewStore()
        store.afterStatement = { count in if count == fatal { throw Killed() } }
        var next = projection
        let changes = next.advance(batch).changes
        do {
          try store.apply(changes, &connection)
        } catch is Killed {
          kills += 1
        }
        // The projector that is started anew knows only the checkpoint: before the batch or after.
        let standing = try ViewStore().standing(&connection)
        #expect([.at(changes.from), .at(changes.to)].contains(standing))
        if standing == .at(changes.to) { projection = next }
      }
      #expect(kills >= 100)
      try expectViewsEqualTheFold(&connection)
    }
  }

  @Test func `its connection ended and its task cancelled a hundred times, views equal the fold`()
    async throws
  {
    let rig = try await LogRig(TestDatabase.current)
    let stopped = Flag()
    let load = Task {
      var commands = RandomCommands(seed: 21)
      while !stopped.isSet {
        try await rig.send(&commands, count: 5)
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    try await withProjector(rig) { try await viewsReach(1) }
    var random = SeededGenerator(seed: 21)
    var reached = try await viewsPosition()
    var rounds = 0
    for round in 0..<100 {
      try await withProjector(rig) {
        if round % 2 == 0 {
          // Loses its connection while it works, soon after it was seen to.
          try await viewsReach(reached.next)
          try await Task.sleep(for: .milliseconds(Int.random(in: 0...10, using: &random)))
          _ = try await onThread { connection in
            try connection.execute(
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wharfd-views' AND datname = current_database()"
            )
          }
        }
        // And is cancelled, whatever it does.
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...40, using: &random)))
      }
      let position = try await viewsPosition()
      #expect(position >= reached)
      if position > reached { rounds += 1 }
      reached = position
    }
    #expect(rounds >= 50)
    stopped.set()
    try await load.value
    try await onThread { connection in
      if case .at = try ViewStore().standing(&connection) {
        try expectViewsEqualTheFold(&connection)
      }
    }
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `of two projectors with the same next batch one applies, and the other is fenced`()
    async throws
  {
    try await onThread { connection in
      let log = try Self.stored(seed: 31, 300, &connection)
      var first = Projection(keys: log.keys)
      let (changes, _) = first.advance(Array(log.events.prefix(100)))
      var stale = Projection(keys: log.keys)
      let (late, _) = stale.advance(Array(log.events.prefix(120)))
      let database = TestDatabase.current
      // The second is under way while the first is between its statements and the commit.
      let outcome = Mutex<Result<Void, any Error>?>(nil)
      var store = ViewStore()
      let steps = changes.upserts.count + 2
      store.afterStatement = { count in
        guard count == steps else { return }
        Thread.detachNewThread {
          let result = Result {
            var other = try database.connect()
            try ViewStore().apply(late, &other)
          }
          outcome.withLock { $0 = result }
        }
        try waitForALock(database)
      }
      try store.apply(changes, &connection)
      while outcome.withLock({ $0 == nil }) { usleep(1_000) }
      #expect(throws: Fenced.self) { try outcome.withLock { $0 }?.get() }
      #expect(try ViewStore().standing(&connection) == .at(changes.to))
      try expectViewsEqualTheFold(&connection)
      // And the stale one starts over from where the views are.
      try stale.skip([])
      #expect(throws: Fenced.self) { try ViewStore().apply(late, &connection) }
    }
  }

  @Test func `two projectors at once leave views that equal the fold`() async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 41)
    try await withProjector(rig) {
      try await withProjector(rig) {
        try await rig.send(&commands, count: 400)
        try await viewsCatchUp(rig)
      }
    }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `an unknown event stops the projector loudly there, and nothing is lost`() async throws
  {
    let rig = try await LogRig(TestDatabase.current)
    let projector = try Projector(
      board: rig.member.board, database: TestDatabase.current.configuration,
      keys: PersonKeys(LogRig.secret), logger: .quiet)
    var commands = RandomCommands(seed: 51)
    try await rig.send(&commands, count: 50)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await rig.send(&commands, count: 10)
    // The member stops too: what a newer program appended is not for it.
    let head = rig.member.board.current
    try await onThread { connection in
      let stranger = try #require(
        try LogReader.events(after: .empty, limit: 1, on: &connection).first
      ).renamed("somethingNewer").moved(to: head.state.position.next, after: head)
      try connection.execute(LogStatements.append([stranger]))
    }
    await #expect(throws: LogError.self) { try await projector.run() }
    try await onThread { connection in
      guard case .at(let checkpoint) = try ViewStore().standing(&connection) else {
        Issue.record("the views are gone")
        return
      }
      #expect(checkpoint.position == head.state.position)
      try expectViewsEqualTheFold(&connection)
    }
    await rig.stop()
  }

  @Test func `views that were made from another log are made anew`() async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 61)
    try await rig.send(&commands, count: 50)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await onThread { connection in
      try connection.script(
        "UPDATE views.checkpoint SET hash = sha256('another log'); DELETE FROM views.engines")
    }
    try await withProjector(rig) {
      try await eventually("the views are made anew") {
        try await onThread { connection in
          try connection.query("SELECT count(*) FROM views.engines")[0].decode(Int64.self, at: 0)
        } > 0
      }
      try await viewsCatchUp(rig)
    }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `tables that someone changed by hand are made anew`() async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 63)
    try await withProjector(rig) {
      try await rig.send(&commands, count: 30)
      try await viewsCatchUp(rig)
      try await onThread { try $0.script("DROP TABLE views.timeline") }
      try await rig.send(&commands, count: 30)
      try await viewsCatchUp(rig)
    }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `a checkpoint written outside of the transaction is caught by the same check`()
    async throws
  {
    try await onThread { connection in
      let log = try Self.stored(seed: 11, 400, &connection)
      var random = SeededGenerator(seed: 11)
      var projection = Projection(keys: log.keys)
      var kills = 0
      while projection.position.value < log.events.count {
        let rows = try connection.query("SELECT position FROM views.checkpoint")
        let position = Int(try rows[0].decode(Int64.self, at: 0))
        projection = Projection(keys: log.keys)
        try projection.skip(log.events.prefix(position))
        let batch = Array(log.events[position..<min(position + 10, log.events.count)])
        if batch.isEmpty { break }
        // The known wrong store: checkpoint and rows each commit by themselves.
        let (checkpoint, writes) = ViewStatements().statements(
          for: projection.advance(batch).changes)
        try connection.execute(checkpoint)
        for write in writes {
          if kills < 20, Bool.random(using: &random) {
            kills += 1
            break
          }
          try connection.execute(write)
        }
      }
      #expect(kills == 20)
      #expect(try tablesThatDiffer(&connection).contains("timeline"))
    }
  }
}
