// A dump restored into a fresh cluster, and an export imported there: readers go on from where they were,
// the chain verifies, and the log is led only in a new era.

import Foundation
import Hosting
import Logging
import Postgres
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct RestoredLogTests {
  private func move(_ how: String, _ from: TestDatabase, _ to: TestDatabase) async throws {
    guard how == "import" else {
      try shell("pg_dump -d '\(from.url)' | psql -q -v ON_ERROR_STOP=1 -d '\(to.url)'")
      return
    }
    try await offPool {
      var lines: [UInt8] = []
      var source = try from.connect()
      _ = try LogExport.run(&source) { _, _ in
      } write: {
        lines += $0
      }
      _ = try Migrator.migrate(to.configuration)
      var rest = lines.split(separator: UInt8(ascii: "\n")).map { Array($0) }[...]
      var target = try to.connect()
      _ = try LogImport.run(&target) { _ in
      } next: {
        rest.popFirst()
      }
    }
  }

  /// Which tables the views are: a rebuild makes others.
  private func tables() async throws -> [Int64] {
    try await onThread { connection in
      try connection.query(
        "SELECT oid::int8 FROM pg_class WHERE relnamespace = to_regnamespace('views') ORDER BY oid"
      ).map { try $0.decode(Int64.self, at: 0) }
    }
  }

  private struct Source {
    let database: TestDatabase
    let head: Head
    /// A reader came this far.
    let checkpoint: Position
  }

  /// A log with views and a reader, and more that was appended after.
  private func source(_ commands: inout RandomCommands) async throws -> Source {
    let rig = try await LogRig(.current)
    try await rig.send(&commands, count: 60)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    let checkpoint = Position(rig.member.board.current.state.position.value / 2)
    try await rig.send(&commands, count: 20)
    let head = rig.member.board.current
    await rig.stop()
    return Source(database: .current, head: head, checkpoint: checkpoint)
  }

  /// What was moved is the log that was there, and is led only when a new era was begun.
  ///
  /// - Parameter start: starts who would lead; it returns once that leads.
  private func faults(
    _ source: Source, movedTo fresh: TestDatabase,
    start: (TestDatabase) async throws -> Void
  ) async throws -> [Fault] {
    var faults = Faults()
    do {
      let sound = try await offPool { try Verification.run(fresh.configuration) { _, _ in } }
      faults.note(
        "it ends at \(sound.position) with another hash",
        unless: sound.position == source.head.state.position && sound.hash == source.head.hash)
    } catch {
      faults.note("the chain is broken: \(error)", unless: false)
    }
    do {
      try await start(fresh)
      faults.note("it is led as if it were at home", unless: false)
    } catch LogError.otherEra {
      let rows = try await count(fresh)
      faults.note(
        "\(rows) events after a start that was refused",
        unless: rows == source.head.state.position.value)
    } catch {
      faults.note("the start ended otherwise: \(error)", unless: false)
    }
    return faults.all
  }

  private func count(_ database: TestDatabase) async throws -> Int64 {
    try await offPool {
      var connection = try database.connect()
      return try connection.query("SELECT count(*) FROM log.events")[0].decode(Int64.self, at: 0)
    }
  }

  /// Starts a wharfd, and returns once it leads.
  private func start(_ database: TestDatabase) async throws {
    let early = try LogMember(
      settings: LogSettings(
        database: database.configuration, instance: "early", address: "http://early",
        makeCommandID: { .random() }), secret: LogRig.secret, logger: .quiet)
    // One that led all the same would never end.
    let end = Task { try await early.run() }
    let (lead, ended) = (Flag(), Flag())
    Task {
      _ = await end.result
      ended.set()
    }
    try await eventually("it ends, or leads") {
      if case .leading = early.board.current.standing { lead.set() }
      return ended.isSet || lead.isSet
    }
    early.stop()
    try await end.value
  }

  @Test(arguments: ["dump", "import"])
  func `in a fresh cluster readers resume, and the chain verifies, after`(how: String) async throws
  {
    var commands = RandomCommands(seed: 81)
    let source = try await source(&commands)
    let cluster = try await TestCluster.dedicated()
    let fresh = try await cluster.makeDatabase()
    try await move(how, source.database, fresh)
    #expect(try await faults(source, movedTo: fresh, start: start) == [])
    try await offPool {
      var connection = try fresh.connect()
      _ = try Recovery(&connection) { _, _ in }
        .begin(&connection, commandID: .random(), seal: .zero)
    }
    try await TestDatabase.with(fresh) {
      let next = try await LogRig.again(fresh)
      #expect(next.member.board.current.state.log.era?.position == source.head.state.position.next)
      try await next.send(&commands, count: 10)
      // The projector goes on from the checkpoint that came along, or makes views where none came.
      let before = try await tables()
      try await withProjector(next) { try await viewsCatchUp(next) }
      #expect(
        try await tables() == before || how == "import", "views that came along were made anew")
      try await onThread { try expectViewsEqualTheFold(&$0) }
      let reader = LogReader(pool: try Pool(fresh.configuration), keys: PersonKeys(LogRig.secret))
      var given: [Position] = []
      let end = next.member.board.current.state.position
      for try await page in Subscription(
        name: "a test", reader: reader, bell: LogBell(), after: source.checkpoint)
      {
        given += page.events.map(\.position)
        if page.checkpoint >= end { break }
      }
      #expect(given == (source.checkpoint.value + 1...end.value).map { Position($0) })
      await next.stop()
      let whole = try await offPool { try Verification.run(fresh.configuration) { _, _ in } }
      #expect(whole.position >= end)
    }
    await cluster.remove()
  }

  /// What a tool does to the log that it moves, whose hashes fit afterwards; and who leads it all the same.
  enum Flaw: CaseIterable { case renumbered, otherIDs, atHome, ledAnyway }

  private func spoil(_ flaw: Flaw, _ connection: inout Connection) throws {
    switch flaw {
    case .renumbered:
      // One event less, and no gap.
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER events_append_only;
        CREATE TEMP TABLE kept AS SELECT * FROM log.events WHERE position <> 20;
        UPDATE kept SET position = position - 1 WHERE position > 20;
        TRUNCATE log.events;
        INSERT INTO log.events SELECT * FROM kept ORDER BY position;
        """)
      try connection.script(ChainSQL.rewrite(20, "actor = actor"))
    case .otherIDs:
      try connection.script(ChainSQL.rewrite(20, "command_id = gen_random_uuid()"))
    case .atHome:
      // As if the log had been written here.
      let here = EraBegan(database: try LogStatements.readIdentity(&connection).identity)
      let text = String(decoding: here.jsonBytes, as: UTF8.self)
      try connection.script(ChainSQL.rewrite(1, "data = '\(text)'"))
    case .ledAnyway: break
    }
  }

  /// Leads without a look at the era.
  private func leadAnyway(_ database: TestDatabase, after head: Head) async throws {
    try await offPool {
      var connection = try database.connect()
      let events = try LogReader.events(after: .empty, limit: 1_000, on: &connection)
      let taken = try #require(events.last { $0.type == LeadershipTaken.type })
      try connection.execute(
        LogStatements.append([taken.moved(to: head.state.position.next, after: head)]))
    }
  }

  @Test func `tools that move another log, and who leads it as if at home, are found out`()
    async throws
  {
    var commands = RandomCommands(seed: 82)
    let source = try await source(&commands)
    for flaw in Flaw.allCases {
      let fresh = try await TestCluster.shared().makeDatabase()
      try await move("dump", source.database, fresh)
      try await offPool {
        var connection = try fresh.connect()
        try spoil(flaw, &connection)
      }
      let found = try await faults(source, movedTo: fresh) { database in
        guard flaw == .ledAnyway else { return try await start(database) }
        try await leadAnyway(database, after: source.head)
      }.map(\.description)
      switch flaw {
      case .renumbered: #expect(!found.isEmpty)
      case .otherIDs:
        #expect(found.count == 1 && found[0].contains("with another hash"), "\(found)")
      case .atHome:
        #expect(found.contains { $0.contains("with another hash") }, "\(found)")
        #expect(found.contains { $0.contains("as if it were at home") }, "\(found)")
      case .ledAnyway: #expect(found == ["it is led as if it were at home"])
      }
      try await TestCluster.shared().drop(fresh)
    }
  }
}
