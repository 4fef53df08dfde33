// An event that a reader cannot read stops it: loudly, at that position, with all before it in place.
// Every reader, every way in which an event is not to be read.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct LoudReaderTests {
  enum Damage: String, CaseIterable, Sendable {
    case unknownType, newerVersion, undecodable, unknownField, contradiction, malformedColumn
  }

  /// How long a reader may take to end, as a calm machine counts it: far more than it needs.
  private static let endSeconds = 20.0

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

  /// How a reader ended, which must be soon, and with an error of the log at this position.
  ///
  /// - Parameter standsAt: how far it says it has come: all before is applied, and no more.
  private func faults(
    of reader: String, stoppingAt position: Position,
    standsAt: () async throws -> Position? = { nil },
    _ read: @escaping @Sendable () async throws -> Void
  ) async throws -> [Fault] {
    let reading = Task { try await read() }
    let ended = Flag()
    Task {
      _ = await reading.result
      ended.set()
    }
    do { try await eventually("it ends", withinSeconds: Self.endSeconds) { ended.isSet } } catch {
      reading.cancel()
      return [Fault("\(reader) does not end")]
    }
    var faults = Faults()
    switch await reading.result {
    case .success: faults.note("\(reader) read past it", unless: false)
    case .failure(let error as LogError):
      faults.note("\(reader): \(error)", unless: error.unreadablePosition == position)
    case .failure(let error):
      faults.note("\(reader) ended with another error: \(error)", unless: false)
    }
    if let stands = try await standsAt() {
      faults.note("\(reader) stands at \(stands)", unless: stands == Position(position.value - 1))
    }
    return faults.all
  }

  private func expect(
    _ reader: String, stopsAt position: Position, _ damage: Damage,
    standsAt: () async throws -> Position? = { nil },
    _ read: @escaping @Sendable () async throws -> Void
  ) async throws {
    let found = try await faults(of: reader, stoppingAt: position, standsAt: standsAt, read)
    #expect(found == [], "\(damage)")
  }

  /// A log of some commands and what is not to be read after them.
  private func damaged(_ damage: Damage) async throws -> Position {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 72)
    try await rig.send(&commands, count: 20)
    await rig.stop()
    let head = rig.member.board.current
    try await onThread { try append(damage, after: head, &$0) }
    return head.state.position.next
  }

  @Test(arguments: Damage.allCases)
  func `readers that are not loud are found out at an event that is`(damage: Damage) async throws {
    let bad = try await damaged(damage)
    // The limit has to pass for one that waits: once is enough.
    for flaw in ToyReader.Flaw.allCases where flaw != .waits || damage == .unknownType {
      let reader = ToyReader(flaw)
      let database = TestDatabase.current
      let found = try await faults(
        of: "a reader", stoppingAt: bad, standsAt: { reader.position }
      ) {
        try await TestDatabase.with(database) { try await reader.read() }
      }
      #expect(found.isEmpty == (flaw == .none), "\(flaw): \(found)")
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

    // What came before is served.
    try await expect(
      "a follower", stopsAt: bad, damage, standsAt: { follower.board.current.state.position }
    ) { try await following.value }
    let projector = try Projector(
      board: rig.member.board, database: database.configuration,
      keys: PersonKeys(LogRig.secret), logger: .quiet)
    try await expect("the projector", stopsAt: bad, damage, standsAt: viewsPosition) {
      try await projector.run()
    }
    await rig.stop()
    try await expect("a start", stopsAt: bad, damage) { try await member("three", database).run() }
    try await expect("verify", stopsAt: bad, damage) {
      try await onThread { _ in _ = try Verification.run(database.configuration) { _, _ in } }
    }
    // An export interprets nothing: it copies what is chained, and loses nothing of it.
    if damage == .malformedColumn {
      try await expect("export", stopsAt: bad, damage) { _ = try await exported() }
    } else {
      #expect(try await exported() == Int(bad.value))
    }
    try await expect("recover", stopsAt: bad, damage) {
      try await onThread { connection in _ = try Recovery(&connection) { _, _ in } }
    }
    try await expect("a rebuild", stopsAt: bad, damage) {
      try await onThread { connection in
        _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      }
    }
    let reader = LogReader(pool: try Pool(database.configuration), keys: PersonKeys(LogRig.secret))
    try await expect("as of", stopsAt: bad, damage) { _ = try await reader.state(at: bad) }
    #expect(try await reader.state(at: good) == head.state)

    try await onThread { connection in
      // Nothing is lost: the rows are all there.
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

extension LogError {
  /// Where there is an event that is not to be read.
  fileprivate var unreadablePosition: Position? {
    switch self {
    case .unreadable(let position, _), .contradiction(let position, _): position
    default: nil
    }
  }
}

/// A reader that folds the log, and what becomes of one that is not loud.
private final class ToyReader: Sendable {
  enum Flaw: CaseIterable {
    case none
    /// Goes on behind what it cannot read.
    case skips
    case endsQuietly
    /// Looks again, for ever: perhaps it can be read later.
    case waits
    /// Its checkpoint is past what it then fails at.
    case movesFirst
    /// Tells of the last that it could read.
    case saysWhereItStands
  }

  private let flaw: Flaw
  private let stands = Mutex(Position.empty)

  init(_ flaw: Flaw) { self.flaw = flaw }

  var position: Position { stands.withLock { $0 } }

  func read() async throws {
    var state = HostingState()
    while true {
      let after = state
      let (read, failure) = try await onThread { try self.fold(after, &$0) }
      state = read
      guard let failure else { return }
      switch flaw {
      case .endsQuietly: return
      case .waits: try await Task.sleep(for: .milliseconds(100))
      case .saysWhereItStands:
        throw LogError.unreadable(position: state.position, reason: "\(failure)")
      default: throw failure
      }
    }
  }

  private func fold(
    _ state: HostingState, _ connection: inout Connection
  ) throws -> (HostingState, LogError?) {
    let keys = PersonKeys(LogRig.secret)
    try keys.prepareAll(&connection)
    var state = state
    for row in try connection.query(LogStatements.read(after: state.position, limit: 1_000)) {
      do throws(LogError) {
        if flaw == .movesFirst { stands.withLock { $0 = state.position.next } }
        try state.fold(StoredEvent(row), keys)
        stands.withLock { $0 = state.position }
      } catch {
        if flaw != .skips { return (state, error) }
        stands.withLock { $0 = $0.next }
      }
    }
    return (state, nil)
  }
}
