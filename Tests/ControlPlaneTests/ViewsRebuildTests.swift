// `wharfd rebuild` beside a live projector, readers, and its own death.

import Foundation
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

private struct Killed: Error {}

@Suite(.database) struct ViewsRebuildTests {
  @Test func `under live load with an open reader, old views serve and the swap is at once`()
    async throws
  {
    let rig = try await LogRig(TestDatabase.current)
    let stopped = Flag()
    var first = RandomCommands(seed: 71)
    try await rig.send(&first, count: 300)
    let start = rig.member.board.current.state.position
    let load = Task { [first] in
      var commands = first
      while !stopped.isSet { try await rig.send(&commands, count: 10) }
    }
    try await withProjector(rig) {
      try await viewsReach(start)
      try await onThread { reader in
        // A reader in the middle of its transaction, who has read the old tables.
        try reader.script(
          "BEGIN; DECLARE story CURSOR FOR SELECT position FROM views.timeline ORDER BY 1")
        let before = try reader.query("FETCH 10 FROM story")
        #expect(before.count == 10)
        let kept = Flag()
        for _ in 0..<3 {
          var connection = try TestDatabase.current.connect()
          let fold = try rebuildWhenFree(&connection) { step in
            if case .kept = step { kept.set() }
          }
          guard case .at(let now) = try ViewStore().standing(&connection) else {
            Issue.record("no views after the swap")
            return
          }
          #expect(now.position >= fold.position)
        }
        #expect(kept.isSet, "the old tables must wait for their reader")
        // Whoever had found the old tables by their name may look at them only now.
        let retired = try reader.query(
          "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, 'views_retired_')"
        )
        #expect(retired.count > 0)
        for row in retired {
          let schema = try row.decode(String.self, at: 0)
          let rows = try reader.query(
            Query(
              "SELECT position, (SELECT count(*) FROM \(schema).timeline) FROM \(schema).checkpoint",
              []))
          let old = try #require(rows.first, "the old views have a hole")
          #expect(try old.decode(Int64.self, at: 0) == old.decode(Int64.self, at: 1))
        }
        let rest = try reader.query("FETCH ALL FROM story")
        #expect(rest.count + 10 >= start.value)
        try reader.script("COMMIT")
      }
      stopped.set()
      try await load.value
      try await viewsCatchUp(rig)
    }
    try await onThread { connection in
      try expectViewsEqualTheFold(&connection)
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      let rows = try connection.query(
        "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname::text, 'views')")
      // The views, and the reference that this test made.
      #expect(try rows[0].decode(Int64.self, at: 0) == 2)
      try expectViewsEqualTheFold(&connection)
    }
    await rig.stop()
  }

  @Test func `killed at any point, a rebuild leaves the old views or the new, and runs again`()
    async throws
  {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      var log = try RandomLog(seed: 91)
      try log.grow(by: 600)
      try log.store(&connection)
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      var random = SeededGenerator(seed: 91)
      var broken = 0
      for _ in 0..<20 {
        let victim = try TestDatabase.current.connect()
        let pid = victim.backendProcessID
        let delay = UInt32.random(in: 0...150_000, using: &random)
        let database = TestDatabase.current
        let killer = KillerThread {
          usleep(delay)
          var other = try database.connect()
          try other.execute("SELECT pg_terminate_backend(\(pid))")
        }
        do {
          var dying = consume victim
          _ = try Rebuild.run(&dying, keys: PersonKeys(LogRig.secret)) { _ in }
        } catch is PostgresError {
          broken += 1
        }
        try killer.wait()
        guard case .at(let checkpoint) = try ViewStore().standing(&connection) else {
          throw ViewsTestFailure(description: "no views were left")
        }
        #expect(checkpoint.position.value == log.events.count)
      }
      #expect(broken > 3)
      // And at each step that it reports.
      for step in 0... {
        var reports = 0
        var dying = try TestDatabase.current.connect()
        let pid = dying.backendProcessID
        do {
          _ = try Rebuild.run(&dying, keys: PersonKeys(LogRig.secret)) { _ in
            if reports == step { _ = try? endBackend(pid) }
            reports += 1
          }
          if reports <= step { break }
        } catch is PostgresError {
          guard case .at(let checkpoint) = try ViewStore().standing(&connection) else {
            throw ViewsTestFailure(description: "no views were left at step \(step)")
          }
          #expect(checkpoint.position.value == log.events.count)
        }
      }
      try expectViewsEqualTheFold(&connection)
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      try expectViewsEqualTheFold(&connection)
    }
  }

  @Test func `an unknown event stops a rebuild loudly, and the old views stay`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      var log = try RandomLog(seed: 95)
      try log.grow(by: 100)
      try log.store(&connection)
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      let before = try copies("views", &connection)
      let head = Head(state: log.state, hash: log.hash, standing: .starting)
      try connection.execute(
        LogStatements.append([
          log.events[0].renamed("somethingNewer").moved(to: log.state.position.next, after: head)
        ]))
      let error = #expect(throws: LogError.self) {
        _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      }
      #expect(error?.description.contains("position \(log.events.count + 1)") == true)
      #expect(try copies("views", &connection) == before)
    }
  }

  @Test func `only one rebuild runs at a time`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      var refused = false
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { step in
        guard case .writingRows = step else { return }
        var other = try? TestDatabase.current.connect()
        if other != nil {
          do {
            _ = try Rebuild.run(&other!, keys: PersonKeys(LogRig.secret)) { _ in }
          } catch is Rebuild.UnderWay {
            refused = true
          } catch {}
        }
      }
      #expect(refused)
    }
  }

  @Test(arguments: ["hash = ''", "position = -1", "position = 999999"])
  func `a checkpoint that was spoilt by hand is made anew, with its views`(change: String)
    async throws
  {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 98)
    try await rig.send(&commands, count: 40)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await onThread { try $0.script("UPDATE views.checkpoint SET \(change)") }
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }

  @Test func `views of another form are made anew by the projector`() async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 97)
    try await rig.send(&commands, count: 60)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    try await onThread { connection in
      try connection.script(
        """
        UPDATE views.checkpoint SET form = sha256('another form');
        ALTER TABLE views.nodes DROP COLUMN cpu_millis;
        """)
    }
    try await withProjector(rig) {
      try await rig.send(&commands, count: 60)
      try await eventually("views of our form") {
        try await onThread { try ViewStore().standing(&$0) } != .unusable
      }
      try await viewsCatchUp(rig)
    }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await rig.stop()
  }
}

/// Rebuilds as soon as the projector is done with a rebuild of its own, whose lock outlives the swap
/// for a moment.
func rebuildWhenFree(
  _ connection: inout Connection, progress: @escaping (Rebuild.Step) -> Void
) throws -> Projection {
  let watch = Stopwatch()
  while true {
    do {
      return try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret), progress: progress)
    } catch let error as Rebuild.UnderWay {
      if watch.seconds > Pace.patienceSeconds { throw error }
      usleep(10_000)
    }
  }
}

/// Ends a connection's backend, and waits until it is gone.
private func endBackend(_ pid: Int32) throws {
  var other = try TestDatabase.current.connect()
  try other.execute("SELECT pg_terminate_backend(\(pid), 300000)")
}

/// A thread that does one thing, and can be waited for.
private final class KillerThread: Sendable {
  private let outcome = Mutex<Result<Void, any Error>?>(nil)

  init(_ body: @escaping @Sendable () throws -> Void) {
    Thread.detachNewThread { [self] in
      let result = Result(catching: body)
      outcome.withLock { $0 = result }
    }
  }

  func wait() throws {
    while true {
      if let result = outcome.withLock({ $0 }) { return try result.get() }
      usleep(1_000)
    }
  }
}
