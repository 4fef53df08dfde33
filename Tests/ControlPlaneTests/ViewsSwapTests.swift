// Who looks at the views while they are made anew sees the old ones or the new ones, whole, and never goes
// back. Rebuilds that do it otherwise are found out by the same looks.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

/// Makes the views anew; it calls `step` between its transactions, outside of any.
private typealias Rebuilding =
  @Sendable (inout Connection, _ step: () -> Void) throws -> Void

/// Looks at the views again and again; what each look sees must be whole, and no older than the last.
private final class Looks {
  private var connection: Connection
  private(set) var faults = Faults()
  private(set) var count = 0
  private var last: Int64 = 0

  init(_ database: TestDatabase) throws {
    connection = try database.connect()
    // Of a hang, which the test would not outlive, it makes a fault.
    try connection.script("SET lock_timeout = '\(Int(Pace.stretch * 5))s'")
  }

  func look() {
    count += 1
    do {
      let rows = try connection.query(
        "SELECT c.position, (SELECT count(*) FROM views.timeline) FROM views.checkpoint c")
      guard let row = rows.first else { return note("there is no checkpoint") }
      let position = try row.decode(Int64.self, at: 0)
      let told = try row.decode(Int64.self, at: 1)
      if told != position { note("the views are at \(position), and tell of \(told)") }
      if position < last { note("the views went back from \(last) to \(position)") }
      last = position
    } catch {
      note("the views cannot be read: \(error)")
    }
  }

  private func note(_ fault: String) { faults.note(fault, unless: false) }
}

@Suite(.database, .bounded) struct ViewsSwapTests {
  private func faults(rounds: Int, _ rebuild: @escaping Rebuilding) async throws -> [Fault] {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 81)
    try await rig.send(&commands, count: 100)
    let stopped = Flag()
    var found = try await withProjector(rig) {
      try await viewsCatchUp(rig)
      let count = Mutex(0)
      let watcher = Task {
        try await onThread { _ in
          let looks = try Looks(.current)
          while !stopped.isSet {
            looks.look()
            count.withLock { $0 = looks.count }
          }
          return looks.faults.all
        }
      }
      try await eventually("somebody looks") { count.withLock { $0 } > 0 }
      var found: [Fault] = []
      for _ in 0..<rounds {
        try await rig.send(&commands, count: 20)
        found += try await onThread { connection in
          let looks = try Looks(.current)
          looks.look()
          try rebuild(&connection) { looks.look() }
          looks.look()
          return looks.faults.all
        }
      }
      try await eventually("there were many looks") { count.withLock { $0 } > 20 }
      stopped.set()
      found += try await watcher.value
      if found.isEmpty { try await viewsCatchUp(rig) }
      return found
    }
    if found.isEmpty {
      found += try await onThread { try tablesThatDiffer(&$0) }.map {
        Fault("\($0) is not the fold")
      }
    }
    await rig.stop()
    return found
  }

  @Test func `views never go back, and never have a hole, while they are swapped`() async throws {
    let found = try await faults(rounds: 10) { connection, step in
      _ = try withoutActuallyEscaping(step) { step in
        try rebuildWhenFree(&connection) { _ in step() }
      }
    }
    #expect(found == [])
  }

  enum Flaw: CaseIterable { case inPlace, notAtOnce, behind }

  @Test(arguments: Flaw.allCases)
  func `a rebuild that readers can see is found out`(flaw: Flaw) async throws {
    let found = try await faults(rounds: 1) { connection, step in
      let rows = try connection.query("SELECT position FROM views.checkpoint")
      let head = Position(try rows[0].decode(Int64.self, at: 0))
      switch flaw {
      case .inPlace:
        // Row by row what the log says, into the tables that serve.
        try makeReference(upTo: head, &connection)
        for table in ViewRows.tables.map(\.name) {
          try connection.execute(Query("DELETE FROM views.\(table)", []))
          step()
          try connection.execute(
            Query("INSERT INTO views.\(table) SELECT * FROM views_reference.\(table)", []))
          step()
        }
      case .notAtOnce:
        try makeReference(upTo: head, &connection)
        try connection.script("ALTER SCHEMA views RENAME TO views_before")
        step()
        try connection.script("ALTER SCHEMA views_reference RENAME TO views")
      case .behind:
        // What was appended while it was filled is left to the projector.
        try makeReference(upTo: Position(head.value - 10), &connection)
        try connection.script(
          """
          BEGIN;
          ALTER SCHEMA views RENAME TO views_before;
          ALTER SCHEMA views_reference RENAME TO views;
          COMMIT;
          """)
      }
    }
    let expected =
      switch flaw {
      case .inPlace: "tell of 0"
      case .notAtOnce: "cannot be read"
      case .behind: "went back"
      }
    #expect(found.contains { $0.description.contains(expected) }, "\(found)")
  }
}
