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

@Suite(.database, .timeLimit(.minutes(2))) struct RestoredLogTests {
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

  @Test(arguments: ["dump", "import"])
  func `in a fresh cluster readers resume, and the chain verifies, after`(how: String) async throws
  {
    let database = TestDatabase.current
    let rig = try await LogRig(database)
    var commands = RandomCommands(seed: 81)
    try await rig.send(&commands, count: 60)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    // A reader came this far; the views too; then more was appended.
    let checkpoint = Position(rig.member.board.current.state.position.value / 2)
    try await rig.send(&commands, count: 20)
    let head = rig.member.board.current
    await rig.stop()

    let cluster = try await TestCluster.dedicated()
    let fresh = try await cluster.makeDatabase()
    try await move(how, database, fresh)
    let sound = try await offPool { try Verification.run(fresh.configuration) { _, _ in } }
    #expect(sound.position == head.state.position && sound.hash == head.hash)
    let early = try LogMember(
      settings: LogSettings(
        database: fresh.configuration, instance: "early", address: "http://early",
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
    let error = await #expect(throws: LogError.self) { try await end.value }
    guard case .otherEra = error else {
      Issue.record("it ended otherwise: \(String(describing: error))")
      return
    }
    try await offPool {
      var connection = try fresh.connect()
      _ = try Recovery(&connection) { _, _ in }
        .begin(&connection, commandID: .random(), seal: .zero)
    }
    try await TestDatabase.with(fresh) {
      let next = try await LogRig.again(fresh)
      #expect(next.member.board.current.state.log.era?.position == head.state.position.next)
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
        name: "a test", reader: reader, bell: LogBell(), after: checkpoint)
      {
        given += page.events.map(\.position)
        if page.checkpoint >= end { break }
      }
      #expect(given == (checkpoint.value + 1...end.value).map { Position($0) })
      await next.stop()
      let whole = try await offPool { try Verification.run(fresh.configuration) { _, _ in } }
      #expect(whole.position >= end)
    }
    await cluster.remove()
  }
}
