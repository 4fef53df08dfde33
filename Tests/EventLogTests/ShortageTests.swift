// The database lacks what it needs: room on its disk, connections. Commands get an error in bounded time,
// and the same wharfd goes on when the shortage is over.

import Foundation
import Glibc
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.timeLimit(.minutes(3))) struct ShortageTests {
  /// A command is answered within its own wait and the statement's, and what a busy machine takes.
  private static let answerSeconds = 12.0

  /// More than fit into what is left of the disk.
  private static let commandsLimit = 4_000

  private func leading(_ database: TestDatabase) async throws -> Rig {
    try await Rig.leading(database) { settings in
      settings.statementTimeout = .seconds(2)
      settings.inbox.waitSeconds = 3
    }
  }

  /// - Returns: the failure that a command got; nil once it was stored.
  /// - Throws: when it got none in time.
  private func failure(
    _ store: some ShortageStore, _ name: String, id: CommandID
  ) async throws -> SubmitFailure? {
    let answer = Answer()
    // Apart: one that is never answered must fail the test, not hold it up.
    Task {
      let failure = await store.place(name, id: id)
      answer.given.withLock { $0 = .some(failure) }
    }
    return try await eventually("\(name) is answered", withinSeconds: Self.answerSeconds) {
      answer.given.withLock { $0 }
    }
  }

  private final class Answer: Sendable {
    /// None until it is answered.
    let given = Mutex<SubmitFailure??>(nil)
  }

  /// A command gets an error in bounded time while the database lacks something, and the same store goes on
  /// when that is over.
  ///
  /// - Parameter lack: takes it away; what it returns gives it back.
  private func faults(
    _ store: some ShortageStore, recoverySeconds: Double = 30,
    lack: () async throws -> () async throws -> Void,
    meanwhile: () async throws -> Void = {}
  ) async throws -> [Fault] {
    var faults = Faults()
    let before = try await failure(store, "before", id: .random())
    faults.note("it stores nothing: \(before!)", unless: before == nil)
    let end = try await lack()
    let id = CommandID.random()
    do {
      let answer = try await failure(store, "meanwhile", id: id)
      faults.note("it stored what it cannot have stored", unless: answer != nil)
      try await meanwhile()
    } catch is TestFailure {
      faults.note("no answer in bounded time", unless: false)
    }
    try await end()
    do {
      try await eventually("commands are stored again", withinSeconds: recoverySeconds) {
        try await failure(store, "meanwhile", id: id) == nil
      }
      let count = try await store.count(of: id)
      faults.note("a command is stored \(count) times", unless: count == 1)
    } catch is TestFailure {
      faults.note("commands are not stored again", unless: false)
    }
    return faults.all
  }

  /// A full disk needs one that is small: a file system in memory, which only root can mount.
  @Test(
    .enabled(if: geteuid() == 0, "mounting a small disk needs root"),
    arguments: ["table", "journal"])
  func `a full disk: errors in bounded time, then on without a restart`(full: String) async throws {
    let cluster = try await TestCluster.dedicated(
      settings: .init(parameters: ["min_wal_size": "32MB", "max_wal_size": "32MB"]))
    let database = try await cluster.makeDatabase()
    let disk = "\(cluster.folder)/disk"
    try shell(
      "mkdir \(disk) && mount -t tmpfs -o size=48m tmpfs \(disk) && chown --reference=\(cluster.folder)/data \(disk)"
    )
    defer { _ = try? shell("umount -l \(disk) 2> /dev/null || true") }
    if full == "journal" {
      try await cluster.stop()
      try shell(
        """
        cp -a \(cluster.folder)/data/pg_wal \(disk)/pg_wal
        rm -r \(cluster.folder)/data/pg_wal
        ln -s \(disk)/pg_wal \(cluster.folder)/data/pg_wal
        """)
      try await cluster.start()
    }
    let rig = try await leading(database)
    if full == "table" {
      var connection = try database.connect()
      try connection.script("CREATE TABLESPACE small LOCATION '\(disk)'")
      for name in ["TABLE log.events", "INDEX log.events_pkey", "INDEX log.events_command"] {
        try connection.script("ALTER \(name) SET TABLESPACE small")
      }
    }
    try await rig.send(PlaceMark(name: Name(known: "before")))

    // What is left is taken by something else.
    try shell("dd if=/dev/zero of=\(disk)/ballast bs=4k 2> /dev/null || true")
    if full == "journal" { fillJournal(database) }
    let long = String(repeating: "n", count: 50)
    var failed: [(name: String, id: CommandID)] = []
    var stored = 0
    while failed.count < 3, stored < Self.commandsLimit {
      let (name, id) = ("\(long)-\(stored)-\(failed.count)", CommandID.random())
      switch try await failure(rig, name, id: id) {
      case nil: stored += 1
      case .unavailable, .outOfTouch, .outcomeUnknown, .notLeading: failed.append((name, id))
      case .some(let failure):
        Issue.record("it was answered with \(failure)")
        failed.append((name, id))
      }
    }
    #expect(failed.count == 3, "the disk was not full: \(stored) were stored")
    try shell("rm \(disk)/ballast")
    if full == "journal" {
      // PostgreSQL itself went down; it is started anew, wharfd is not.
      try? await cluster.stop(.immediate)
      try await cluster.start()
    }
    for (name, id) in failed {
      try await eventually("\(name) is stored", withinSeconds: 30) {
        try await failure(rig, name, id: id) == nil
      }
    }
    let marks = try rig.verified().count { $0.type == "markPlaced" }
    #expect(marks == 1 + stored + failed.count)
    await rig.stop()
    try await cluster.stop(.immediate)
    try shell("umount -l \(disk)")
    await cluster.remove()
  }

  /// Uses up the journal's files that are there, until none can be added.
  private func fillJournal(_ database: TestDatabase) {
    for _ in 0..<10 {
      _ = try? shell(
        """
        psql -q -d '\(database.url)' > /dev/null 2>&1 \
          -c "SELECT pg_logical_emit_message(true, 'a', 'b'), pg_switch_wal()" || true
        """)
    }
  }

  /// What the database lacks, on a cluster of the test's own.
  enum Lack: String, CaseIterable, Sendable, CustomStringConvertible {
    case connections = "no connection is to be had"
    case answers = "its backends are stalled"

    var description: String { rawValue }

    /// - Returns: gives it back.
    fileprivate func begin(_ database: TestDatabase) async throws -> () async throws -> Void {
      switch self {
      case .connections:
        let greedy = try Greedy(database.configuration)
        try await eventually("others have every connection") { try greedy.takeAll() }
        return { greedy.release() }
      case .answers:
        let pids = try await database.cluster.backendPIDs(database: database.name)
        for pid in pids { try database.cluster.pause(pid) }
        return { for pid in pids { try? database.cluster.resume(pid) } }
      }
    }
  }

  private func cluster() async throws -> TestCluster {
    var settings = TestCluster.Settings(fsync: true)
    settings.maximumConnections = 12
    return try await TestCluster.dedicated(settings: settings)
  }

  @Test(arguments: Lack.allCases)
  func `errors in bounded time, then on without a restart, when`(lack: Lack) async throws {
    let cluster = try await cluster()
    let database = try await cluster.makeDatabase()
    let rig = try await leading(database)
    let reader = LogReader(pool: try Pool(rig.database), keys: PersonKeys(Rig.secret))
    let before = try await reader.events(after: .empty, limit: 1_000)
    let found = try await faults(rig, lack: { try await lack.begin(database) }) {
      // Nor do readers wait without bound.
      guard lack == .connections else { return }
      let start = ContinuousClock.now
      await #expect(throws: PostgresError.self) { try await reader.events(after: .empty, limit: 1) }
      #expect(ContinuousClock.now - start < .seconds(15))
    }
    #expect(found == [])
    #expect(try await reader.events(after: .empty, limit: 1_000).starts(with: before))
    await rig.stop()
    await cluster.remove()
  }

  @Test(arguments: Lack.allCases)
  func `stores that wait without bound or stay broken are found out, when`(
    lack: Lack
  ) async throws {
    let cluster = try await cluster()
    for flaw in FragileStore.Flaw.allCases {
      let database = try await cluster.makeDatabase()
      let store = try FragileStore(flaw, database.configuration)
      // Nothing but a new connection has to be waited for.
      let found = try await faults(store, recoverySeconds: 10) { try await lack.begin(database) }
      switch flaw {
      case .none: #expect(found == [])
      case .waits: #expect(found.first == Fault("no answer in bounded time"))
      case .staysBroken: #expect(found == [Fault("commands are not stored again")])
      }
      await store.end()
    }
    await cluster.remove()
  }
}

/// A store of marks that meets a database which lacks something.
private protocol ShortageStore: Sendable {
  /// - Returns: nil once it is stored.
  func place(_ name: String, id: CommandID) async -> SubmitFailure?
  func count(of id: CommandID) async throws -> Int
}

extension Rig: ShortageStore {
  func place(_ name: String, id: CommandID) async -> SubmitFailure? {
    do throws(SubmitFailure) { try await send(PlaceMark(name: Name(known: name)), id: id) } catch {
      return error
    }
    return nil
  }

  /// Verified, too.
  func count(of id: CommandID) throws -> Int { try verified().count { $0.commandID == id } }
}

/// A small store over one connection of its own.
private actor FragileStore: ShortageStore {
  enum Flaw: CaseIterable {
    case none
    /// Its statements have no limit, and it tries again until one is stored.
    case waits
    /// Keeps the connection that it had.
    case staysBroken
  }

  private static let timeout = Duration.seconds(2)

  private let lane: Lane
  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
  private let flaw: Flaw
  private let database: PostgresConfiguration
  private var line: Line?
  private var isOver = false

  init(_ flaw: Flaw, _ database: PostgresConfiguration) throws {
    lane = try Lane(name: "fragile")
    self.flaw = flaw
    self.database = database
    let line = try Line(database)
    try line.connection.script("CREATE TABLE toy (id uuid PRIMARY KEY, name text)")
    self.line = line
  }

  func end() { isOver = true }

  func place(_ name: String, id: CommandID) async -> SubmitFailure? {
    while !isOver {
      do {
        try store(name, id)
        return nil
      } catch {
        if flaw != .waits { return .outcomeUnknown("\(error)") }
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
    return .busy
  }

  private func store(_ name: String, _ id: CommandID) throws {
    if line?.connection.isBroken == true, flaw != .staysBroken { line = nil }
    let line = try line ?? Line(database)
    self.line = line
    let insert = Query(
      "INSERT INTO toy VALUES ($1, $2) ON CONFLICT DO NOTHING",
      [Parameter(PostgresUUID(bytes: id.bytes)), Parameter(name)])
    try line.connection.execute(insert, timeout: flaw == .waits ? nil : Self.timeout)
  }

  func count(of id: CommandID) throws -> Int {
    var connection = try Connection(database)
    return try connection.query(
      Query("SELECT FROM toy WHERE id = $1", [Parameter(PostgresUUID(bytes: id.bytes))])
    ).count
  }
}

/// A connection that a list or an optional can hold.
private final class Line {
  var connection: Connection
  init(_ configuration: PostgresConfiguration) throws {
    connection = try Connection(configuration, timeout: .seconds(2))
  }
}

/// Takes every connection that there is, also those of others.
private final class Greedy {
  private static let name = "greedy"

  private let configuration: PostgresConfiguration
  private var taken: [Line]

  init(_ configuration: PostgresConfiguration) throws {
    var configuration = configuration
    configuration.applicationName = Self.name
    self.configuration = configuration
    taken = [try Line(configuration)]
  }

  /// - Returns: whether nobody else has one.
  func takeAll() throws -> Bool {
    let ended = try taken[0].connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name <> \(Self.name)
      """
    ).count
    while let next = try? Line(configuration) { taken.append(next) }
    return ended == 0
  }

  func release() { taken = [] }
}
