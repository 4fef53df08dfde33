// An event that a reader cannot read stops it: loudly, at that position, with all before it in place.
// Every reader, every way in which an event is not to be read.

import Hosting
import Postgres
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .timeLimit(.minutes(2))) struct LoudReaderTests {
  enum Damage: String, CaseIterable, Sendable {
    case unknownType, newerVersion, undecodable, unknownField, contradiction, malformedColumn
  }

  /// What comes next in the log, chained as it must be.
  private func append(
    _ damage: Damage, after head: Head, _ connection: inout Connection
  ) throws {
    let row: (type: String, version: Int, data: String, stream: Stream)
    let position = head.state.position.next
    let new = Stream(.provider, position)
    switch damage {
    case .unknownType: row = ("somethingNewer", 1, #"{"name":"a"}"#, new)
    case .newerVersion: row = ("providerRegistered", 99, #"{"name":"a","title":"a"}"#, new)
    case .undecodable: row = ("providerRegistered", 1, #"{"name":7,"title":"a"}"#, new)
    case .unknownField: row = ("providerRegistered", 1, #"{"name":"a","title":"a","b":1}"#, new)
    case .contradiction: row = ("providerSuspended", 1, "{}", Stream(.provider, 9_999))
    case .malformedColumn: row = ("providerRegistered", 1, #"{"name":"a","title":"a"}"#, new)
    }
    let id = CommandID.random()
    var event = StoredEvent(
      position: position, stream: row.stream, type: row.type, schemaVersion: row.version,
      data: Array(row.data.utf8), metadata: Array("{}".utf8), commandID: id, commandHash: .zero,
      correlationID: id, causation: nil, actor: .of(Stream(.person, 3)),
      recordedAt: head.state.recordedAt, hash: .zero)
    event.hash = Chain.hash(of: event, after: head.hash)
    try connection.execute(LogStatements.append([event]))
    if damage == .malformedColumn {
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER ALL;
        UPDATE log.events SET actor = 'nobody in particular' WHERE position = \(position);
        """)
    }
  }

  private func member(_ instance: String, _ database: TestDatabase) throws -> LogMember {
    try LogMember(
      settings: LogSettings(
        database: database.configuration, instance: instance, address: "http://\(instance)",
        makeCommandID: { .random() }), secret: LogRig.secret, logger: .quiet)
  }

  /// - Returns: how many lines there are in an export.
  private func exported() async throws -> Int {
    try await onThread { connection in
      var count = 0
      _ = try LogExport.run(&connection) { _, _ in
      } write: {
        count += $0.count { $0 == UInt8(ascii: "\n") }
      }
      return count
    }
  }

  /// How a reader ended, which must be soon, and with an error of the log.
  private func expect(
    _ reader: String, stopsAt position: Position, _ damage: Damage, _ read: () async throws -> Void
  ) async {
    do {
      try await read()
      Issue.record("\(reader) read past \(damage)")
    } catch let error as LogError {
      #expect(error.description.contains("\(position)"), "\(reader), \(damage): \(error)")
      switch error {
      case .unreadable(position, _), .contradiction(position, _): break
      default: Issue.record("\(reader), \(damage): \(error)")
      }
    } catch {
      Issue.record("\(reader), \(damage), ended with another error: \(error)")
    }
  }

  @Test(arguments: Damage.allCases)
  func `every reader stops at an event that is`(damage: Damage) async throws {
    let database = TestDatabase.current
    let rig = try await LogRig(database)
    var commands = RandomCommands(seed: 71)
    try await rig.send(&commands, count: 40)
    try await withProjector(rig) { try await viewsCatchUp(rig) }
    let follower = try member("two", database)
    let following = Task { try await follower.run() }
    try await eventually("two follows") {
      follower.board.current.state.position == rig.member.board.current.state.position
    }
    let head = rig.member.board.current
    let (bad, good) = (head.state.position.next, head.state.position)
    try await onThread { try append(damage, after: head, &$0) }

    await expect("a follower", stopsAt: bad, damage) { try await following.value }
    #expect(follower.board.current.state.position == good, "what came before is served")
    let projector = try Projector(
      board: rig.member.board, database: database.configuration,
      keys: PersonKeys(LogRig.secret), logger: .quiet)
    await expect("the projector", stopsAt: bad, damage) { try await projector.run() }
    await rig.stop()
    await expect("a start", stopsAt: bad, damage) { try await member("three", database).run() }
    await expect("verify", stopsAt: bad, damage) {
      try await onThread { _ in _ = try Verification.run(database.configuration) { _, _ in } }
    }
    // An export interprets nothing: it copies what is chained, and loses nothing of it.
    if damage == .malformedColumn {
      await expect("export", stopsAt: bad, damage) { _ = try await exported() }
    } else {
      #expect(try await exported() == Int(bad.value))
    }
    await expect("recover", stopsAt: bad, damage) {
      try await onThread { connection in _ = try Recovery(&connection) { _, _ in } }
    }
    await expect("a rebuild", stopsAt: bad, damage) {
      try await onThread { connection in
        _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      }
    }
    let reader = LogReader(pool: try Pool(database.configuration), keys: PersonKeys(LogRig.secret))
    await expect("as of", stopsAt: bad, damage) { _ = try await reader.state(at: bad) }
    #expect(try await reader.state(at: good) == head.state)

    try await onThread { connection in
      // Nothing is lost: the views stand before it, and the rows are all there.
      guard case .at(let checkpoint) = try ViewStore().standing(&connection) else {
        Issue.record("the views are gone")
        return
      }
      #expect(checkpoint.position == good)
      let count = try connection.query("SELECT count(*) FROM log.events")[0]
      #expect(try count.decode(Int64.self, at: 0) == bad.value)
      try connection.script(ChainSQL.cut(after: good.value))
    }
    // And without it everything goes on.
    let next = try await LogRig.again(database)
    try await withProjector(next) { try await viewsCatchUp(next) }
    try await onThread { try expectViewsEqualTheFold(&$0) }
    await next.stop()
  }
}
