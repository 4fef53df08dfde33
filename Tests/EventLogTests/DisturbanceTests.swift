// What others do in the same database, or beside it, for the whole run: appends and tails keep their
// rate. Arms are measured in turns in one run, and the best of each are compared, so that a machine that
// is busy with something else slows both.

import Glibc
import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

enum Disturbance: String, CaseIterable, Sendable {
  case idleTransaction, idleTransactionElsewhere, preparedTransaction, stuckListener, dump
}

/// A disturbance that goes on until it is ended.
private final class Disturbing {
  private let disturbance: Disturbance
  private let cluster: TestCluster
  private var connection: Connection
  private var dump: Child?

  init(_ disturbance: Disturbance, _ database: TestDatabase) async throws {
    self.disturbance = disturbance
    cluster = database.cluster
    let name = disturbance == .idleTransactionElsewhere ? "postgres" : database.name
    connection = try Connection(cluster.configuration(database: name))
    switch disturbance {
    case .idleTransaction:
      try connection.script(
        """
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SELECT pg_current_xact_id(); SELECT count(*) FROM log.events;
        """)
    case .idleTransactionElsewhere:
      try connection.script("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT pg_current_xact_id()")
    case .preparedTransaction:
      try connection.script(
        """
        BEGIN; SELECT count(*) FROM log.events; CREATE TABLE prepared (n int);
        PREPARE TRANSACTION 'forgotten'
        """)
    case .stuckListener:
      // Listens, and reads nothing any more: what is announced piles up.
      try connection.listen(to: LogStatements.channel)
      try cluster.pause(connection.backendProcessID)
    case .dump:
      let folder = try TestFolder()
      let child = try Child(
        ["pg_dump", "-d", database.url, "-f", folder.path("dump.sql")],
        environment: folder.environment(), folder: folder)
      dump = child
      try await eventually("pg_dump has its snapshot and its locks") {
        try connection.query(
          """
          SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE application_name = 'pg_dump' AND relation = 'log.events'::regclass AND granted
          """
        ).count > 0
      }
      // In its middle, for as long as it takes.
      child.send(SIGSTOP)
    }
  }

  func end() throws {
    switch disturbance {
    case .idleTransaction, .idleTransactionElsewhere: try connection.script("ROLLBACK")
    case .preparedTransaction: try connection.script("ROLLBACK PREPARED 'forgotten'")
    case .stuckListener: try cluster.resume(connection.backendProcessID)
    case .dump:
      dump?.send(SIGCONT)
      dump?.send(SIGKILL)
    }
  }
}

/// How far the tail has come.
private final class Reached: Sendable {
  private let position = Mutex(Position.empty)

  func come(to new: Position) { position.withLock { $0 = new } }

  func wait(for wanted: Position) async throws {
    try await eventually("the tail gives \(wanted)", withinSeconds: 30) {
      position.withLock { $0 } >= wanted
    }
  }
}

@Suite(.serialized, .timeLimit(.minutes(4))) struct DisturbanceTests {
  private static let commandsPerTurn = 600
  private static let clients = 8
  private static let turns = 4
  /// What stands in the way stops a log, or has it wait for seconds; what only costs some time, such as
  /// one more process on the same cores, does not take two thirds of its rate.
  private static let slowestShare = 1.0 / 3

  /// Commands a second, until the tail has given the last.
  private func rate(_ rig: Rig, _ reached: Reached, turn: Int) async throws -> Double {
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<Self.clients {
        group.addTask {
          for step in 0..<(Self.commandsPerTurn / Self.clients) {
            let mark = PlaceMark(name: Name(known: "t\(turn)-\(client)-\(step)"))
            try await rig.send(mark, by: .tester(client))
          }
        }
      }
      try await group.waitForAll()
    }
    try await reached.wait(for: rig.head.state.position)
    let took = ContinuousClock.now - start
    return Double(Self.commandsPerTurn) / (took / .seconds(1))
  }

  @Test(arguments: Disturbance.allCases)
  func `appends and tails keep their rate`(beside disturbance: Disturbance) async throws {
    let cluster = try await TestCluster.dedicated(
      settings: .init(fsync: true, parameters: ["max_prepared_transactions": "4"]))
    let database = try await cluster.makeDatabase()
    let configuration = try database.configuration
    let rig = try await Rig.leading(database)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let pool = try Pool(configuration)
    let announcer = Announcer(board: rig.member.board, pool: pool, logger: logger)
    let bell = LogBell()
    let reached = Reached()
    let subscription = Subscription(
      name: "a test", reader: LogReader(pool: pool, keys: PersonKeys(Rig.secret)), bell: bell,
      after: .empty)
    let announcing = Task { await announcer.run() }
    let listening = Task { try await bell.run(configuration) }
    let tailing = Task { for try await page in subscription { reached.come(to: page.checkpoint) } }
    // The first turn warms up.
    _ = try await rate(rig, reached, turn: 0)
    var quiet = 0.0
    var disturbed = 0.0
    for turn in 1...Self.turns {
      quiet = max(quiet, try await rate(rig, reached, turn: 2 * turn))
      let running = try await Disturbing(disturbance, database)
      disturbed = max(disturbed, try await rate(rig, reached, turn: 2 * turn + 1))
      try running.end()
    }
    print("\(disturbance): \(Int(disturbed)) commands a second beside it, \(Int(quiet)) without")
    #expect(disturbed >= quiet * Self.slowestShare)
    announcing.cancel()
    listening.cancel()
    tailing.cancel()
    let marks = try rig.verified().count { $0.type == "markPlaced" }
    #expect(marks == Self.commandsPerTurn * (1 + 2 * Self.turns))
    await rig.stop()
    await cluster.remove()
  }
}
