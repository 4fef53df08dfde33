// What the tests of the views share: a log in process, logs made at random, and what is in tables.

import Foundation
import HashTreeCollections
import Hosting
import Logging
import Migrations
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

/// A log that grows by random commands, without a database.
struct RandomLog {
  private(set) var state = HostingState()
  private(set) var hash = Chain.origin
  private(set) var events: [StoredEvent] = []
  /// Those that its events were sealed with.
  let keys = PersonKeys(LogRig.secret)
  private var made: [Sealing.NewKey] = []
  private var commands: RandomCommands
  private var ids: SeededGenerator
  private var now = Timestamp("2026-01-01")!

  init(seed: UInt64) throws {
    commands = RandomCommands(seed: seed)
    ids = SeededGenerator(seed: seed &+ 1)
    try send(
      Wish(
        command: TakeLeadership(
          instance: "one", address: "http://one",
          database: DatabaseIdentity(systemIdentifier: "1", timeline: 1)),
        principal: .wharfd))
    try send(
      Wish(
        command: AdmitFirstAdmin(
          name: Name(known: "admin"), token: .zero, prefix: Text("whp_first")), principal: .wharfd))
  }

  /// Sends commands until there are so many more events.
  mutating func grow(by count: Int) throws {
    let target = events.count + count
    while events.count < target { try send(commands.next(state)) }
  }

  /// Sends what chance brings too seldom to be counted on: a gateway that comes and goes, an alias that is
  /// removed, a replica that is started anew.
  mutating func addSeldom() throws {
    let admin = Principal(actor: .of(Stream(.person, 4)), role: .admin)
    let gate = Name(known: "seldom")
    let digest = Digest(bytes: [UInt8](repeating: 7, count: 32))
    try send(Wish(command: RegisterGateway(name: gate, credential: digest), principal: admin))
    // This one stays.
    let other = Digest(bytes: [UInt8](repeating: 8, count: 32))
    try send(
      Wish(
        command: RegisterGateway(name: Name(known: "steady"), credential: other), principal: admin))
    let gateway = try #require(state.gateways.named(gate))
    try send(
      Wish(
        command: StartGatewayProcess(incarnation: "seldom", address: "10.0.0.1:1"),
        principal: Principal(actor: .of(gateway.id.stream), role: .gateway)))
    let processes = state.processes(of: gateway.id).map(\.id)
    try send(Wish(command: NoteSilentGateways(processes: processes), principal: .wharfd))
    try send(Wish(command: RemoveGateway(gateway: gate), principal: admin))
    for model in state.models.sorted {
      for alias in model.aliases.keys.sorted() {
        let reference = try ModelReference(jsonText: "\(model.label):\(alias)")
        try send(Wish(command: UnaliasModel(model: reference), principal: admin))
      }
    }
    for deployment in state.deployments.sorted where deployment.deletedAt == nil {
      guard let number = deployment.replicas.keys.min() else { continue }
      try send(
        Wish(
          command: RestartReplica(deployment: deployment.name, number: number), principal: admin))
    }
  }

  mutating func send(_ wish: Wish) throws {
    now = now.adding(seconds: Int64.random(in: 0...600, using: &ids))
    let request = CommandRequest(
      id: CommandID(bytes: (0..<16).map { _ in UInt8.random(in: 0...255, using: &ids) }),
      command: wish.command, principal: wish.principal, reason: Text("because"))
    let pending = PendingCommand(
      request: request, seal: .zero, deadline: ContinuousClock.now, answer: { _ in })
    let batch = Batch(
      [pending], after: state, hash: hash, now: now,
      sealing: keys.sealing { (0..<32).map { _ in .random(in: .min ... .max) } })
    if case .failed(.refused(let refusal, _)) = batch.outcomes[0].outcome {
      try #require(refusal.code != "contradiction", "\(refusal)")
    }
    events += batch.rows
    keys.add(batch.sealing.made)
    made += batch.sealing.made
    state = batch.state
    hash = batch.hash
  }

  /// Appends the events from a position on to the database's log.
  func store(from first: Int = 0, _ connection: inout Connection) throws {
    for start in stride(from: first, to: events.count, by: 1_000) {
      try connection.execute(
        LogStatements.append(
          Array(events[start..<min(start + 1_000, events.count)]),
          keys: start == first ? made.filter { $0.person.position.value > first } : []))
    }
  }
}

/// A wharfd's place in the log, in process.
final class LogRig: Sendable {
  static let secret = ClusterSecret(bytes: [UInt8](repeating: 7, count: ClusterSecret.byteCount))

  let member: LogMember
  private let task: Task<Void, any Error>

  /// A member that leads the test's database, which is migrated for it, and an admin.
  convenience init(_ database: TestDatabase, instance: String = "one") async throws {
    try await self.init(leading: database, instance: instance)
    try await Bootstrap.admitForTests(member)
  }

  /// Leads a database in which there is a log already.
  static func again(_ database: TestDatabase) async throws -> LogRig {
    try await LogRig(leading: database, instance: "next")
  }

  private init(leading database: TestDatabase, instance: String) async throws {
    _ = try Migrator.migrate(database.configuration)
    let logger = Logger.quiet
    let member = try LogMember(
      settings: LogSettings(
        database: database.configuration, instance: instance, address: "http://\(instance)",
        makeCommandID: { .random() }), secret: Self.secret, logger: logger)
    self.member = member
    task = Task { try await member.run() }
    try await eventually("\(instance) leads") {
      if case .leading = member.board.current.standing { true } else { false }
    }
  }

  /// Sends random commands, one after another.
  func send(_ commands: inout RandomCommands, count: Int) async throws {
    for _ in 0..<count {
      let wish = commands.next(member.board.current.state)
      do {
        _ = try await member.submit(
          CommandRequest(id: .random(), command: wish.command, principal: wish.principal))
      } catch SubmitFailure.refused, SubmitFailure.changesNothing {
        continue
      }
    }
  }

  func stop() async {
    member.stop()
    _ = try? await task.value
  }
}

extension Bootstrap {
  fileprivate static func admitForTests(_ member: LogMember) async throws {
    _ = try await member.submit(
      CommandRequest(
        id: .random(),
        command: AdmitFirstAdmin(
          name: Name(known: "admin"), token: .zero, prefix: Text("whp_first")), principal: .wharfd))
  }
}

extension Logger {
  static var quiet: Logger {
    var logger = Logger(label: "views") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    return logger
  }
}

extension CommandID {
  static func random() -> CommandID {
    CommandID(bytes: (0..<16).map { _ in .random(in: .min ... .max) })
  }
}

/// Runs a projector beside a body.
func withProjector<Result: Sendable>(
  _ rig: LogRig, _ body: () async throws -> Result
) async throws -> Result {
  let projector = try Projector(
    board: rig.member.board, database: TestDatabase.current.configuration,
    keys: PersonKeys(LogRig.secret), logger: .quiet)
  let task = Task { try await projector.run() }
  do {
    let result = try await body()
    task.cancel()
    _ = try? await task.value
    return result
  } catch {
    task.cancel()
    _ = try? await task.value
    throw error
  }
}

/// What a schema of views holds: each table's rows as COPY gives them, sorted.
func copies(_ schema: String, _ connection: inout Connection) throws -> [String: [String]] {
  var all: [String: [String]] = [:]
  for table in ViewRows.tables.map(\.name) + ["checkpoint"] {
    var lines: [String] = []
    try connection.copyOut("COPY \(schema).\(table) TO STDOUT") { data in
      lines.append(String(decoding: data, as: UTF8.self))
    }
    all[table] = lines.sorted()
  }
  return all
}

/// Makes views of the whole log, up to where `views` is, in another schema, and compares.
func expectViewsEqualTheFold(
  _ connection: inout Connection, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let differing = try tablesThatDiffer(&connection)
  #expect(differing == [], sourceLocation: sourceLocation)
}

/// The tables of `views` that are not what the log says, at the position where `views` claims to be.
func tablesThatDiffer(_ connection: inout Connection) throws -> [String] {
  let position = Position(
    try connection.query("SELECT position FROM views.checkpoint")[0].decode(Int64.self, at: 0))
  try makeReference(upTo: position, &connection)
  let actual = try copies("views", &connection)
  let expected = try copies("views_reference", &connection)
  return expected.keys.filter { actual[$0] != expected[$0] }.sorted()
}

/// Views as the state at a position has them, all rows at once: not by the projector's way.
func makeReference(upTo position: Position, _ connection: inout Connection) throws {
  let statements = ViewStatements(schema: "views_reference")
  let keys = PersonKeys(LogRig.secret)
  try keys.prepareAll(&connection)
  var projection = Projection(keys: keys)
  var timeline: [ViewRow] = []
  while projection.position < position {
    let events = try LogReader.events(after: projection.position, limit: 1_000, on: &connection)
    let (rows, failure) = projection.tell(events.filter { $0.position <= position })
    try #require(failure == nil)
    timeline += rows
  }
  let (done, target) = (projection, timeline)
  try connection.script("DROP SCHEMA IF EXISTS views_reference CASCADE")
  try connection.transaction { connection in
    try connection.execute("SELECT set_config('wharf.views_schema', 'views_reference', true)")
    try connection.script(Migrations.views.sql)
    for query in statements.inserts(target, into: ViewRows.timeline) {
      try connection.execute(query)
    }
    for table in ViewRows.tables {
      for query in statements.inserts(Array(done.allRows[table].values), into: table) {
        try connection.execute(query)
      }
    }
    try connection.execute(statements.begin(at: done.checkpoint))
  }
}

/// Where the views are; 0 while there are none.
func viewsPosition() async throws -> Position {
  try await onThread { connection in
    guard case .at(let checkpoint) = try ViewStore().standing(&connection) else { return .empty }
    return checkpoint.position
  }
}

/// Waits until the views are at a position or past it.
func viewsReach(_ position: Position) async throws {
  try await eventually("the views reach \(position)") {
    try await viewsPosition() >= position
  }
}

/// Waits until the views are at the head of the log.
func viewsCatchUp(_ rig: LogRig) async throws {
  try await eventually("the views catch up") {
    try await viewsPosition() == rig.member.board.current.state.position
  }
}

/// Runs a body with a connection to the test's database, on a thread that may block.
func onThread<Result: Sendable>(
  _ body: @Sendable (inout Connection) throws -> Result
) async throws -> Result {
  let database = TestDatabase.current
  return try await offPool {
    var connection = try database.connect()
    return try body(&connection)
  }
}

/// Runs what takes long on a thread of its own: the cooperative ones are few, and other tests wait for
/// them with deadlines.
func offPool<Result: Sendable>(
  _ body: @Sendable () throws -> Result
) async throws -> Result {
  try await BlockingThread(lane: Lane(name: "views-test")).run(body)
}

private actor BlockingThread {
  private let lane: Lane
  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(lane: Lane) { self.lane = lane }

  func run<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result { try body() }
}

extension StoredEvent {
  /// The same event under a type that no program knows yet.
  func renamed(_ type: String) -> StoredEvent {
    StoredEvent(
      position: position, stream: stream, type: type, schemaVersion: schemaVersion, data: data,
      metadata: metadata, commandID: commandID, commandHash: commandHash,
      correlationID: correlationID, causation: causation, actor: actor, recordedAt: recordedAt,
      hash: hash)
  }
}

extension StoredEvent {
  /// The same event at another place in the log, chained.
  func moved(to position: Position, after head: Head) -> StoredEvent {
    var moved = StoredEvent(
      position: position, stream: stream, type: type, schemaVersion: schemaVersion, data: data,
      metadata: metadata, commandID: .random(), commandHash: nil, correlationID: correlationID,
      causation: causation, actor: actor, recordedAt: head.state.recordedAt, hash: .zero)
    moved.hash = Chain.hash(of: moved, after: head.hash)
    return moved
  }
}

/// Waits until a connection to the database waits for a lock.
func waitForALock(_ database: TestDatabase) throws {
  var connection = try database.connect()
  let watch = Stopwatch()
  while watch.seconds < Pace.patienceSeconds {
    let rows = try connection.query(
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    if try rows[0].decode(Int64.self, at: 0) > 0 { return }
    usleep(1_000)
  }
  throw ViewsTestFailure(description: "nobody waited for a lock")
}

struct ViewsTestFailure: Error {
  let description: String
}

/// Set once, from anywhere.
final class Flag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}

extension Name {
  /// A name that a test knows to be well-formed.
  init(known text: String) { self = try! Name(text) }
}
