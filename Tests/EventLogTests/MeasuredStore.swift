// A log whose rate is measured with a disturbance and without, in turns of one run: right as it is, or
// made wrong in one way by what the test puts into its database, or by how its tail reads.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

enum Flaw: String, Sendable {
  case none
  /// An append takes a lock that a mere reader stands in the way of.
  case locksTheTable
  /// An append keeps counts in rows of their own: what it leaves behind cannot be cleared away as long as
  /// somebody may still see it, and the next one has to read past it.
  case scansDeadRows
  /// A tail gives only what is older than every transaction that is under way.
  case gatesItsTail

  fileprivate var sql: String? {
    switch self {
    case .none, .gatesItsTail: nil
    case .locksTheTable:
      """
      CREATE FUNCTION log.flaw() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE; RETURN NULL; END $$;
      CREATE TRIGGER flaw BEFORE INSERT ON log.events
        FOR EACH STATEMENT EXECUTE FUNCTION log.flaw();
      """
    case .scansDeadRows:
      """
      CREATE TABLE log.counts AS SELECT n, 0::bigint AS count FROM generate_series(1, 100) n;
      CREATE FUNCTION log.flaw() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE log.counts SET count = count + 1; RETURN NULL; END $$;
      CREATE TRIGGER flaw AFTER INSERT ON log.events FOR EACH ROW EXECUTE FUNCTION log.flaw();
      """
    }
  }
}

final class MeasuredStore: Sendable {
  private static let commandsPerTurn = 600
  private static let clients = 8
  /// Pairs of turns, one with the disturbance and one without.
  private static let rounds = 7
  /// A turn that is not over then is held up; it takes well under a second on a calm machine.
  private static let turnLimitSeconds = 3.0

  let rig: Rig
  private let flaw: Flaw
  private let database: TestDatabase
  private let pool: Pool
  private let turns = Mutex(0)
  private let reached = Mutex(Position.empty)

  private init(_ flaw: Flaw, _ database: TestDatabase) async throws {
    self.flaw = flaw
    self.database = database
    // What is held up is given up in good time.
    rig = try await Rig.leading(database) {
      $0.statementTimeout = Hasty.statementTimeout
      $0.inbox.waitSeconds = Hasty.waitSeconds
    }
    pool = try Pool(database.configuration)
    if let sql = flaw.sql {
      var connection = try database.connect()
      try connection.script(sql)
    }
  }

  /// Of what was sent.
  var commands: Int { turns.withLock { $0 } * Self.commandsPerTurn }

  static func with(_ flaw: Flaw, _ body: (MeasuredStore) async throws -> Void) async throws {
    let cluster = try await TestCluster.dedicated(
      settings: .init(fsync: true, parameters: ["max_prepared_transactions": "4"]))
    let store = try await MeasuredStore(flaw, try await cluster.makeDatabase())
    let running = try store.run()
    // The first turn warms up.
    _ = try await store.rate()
    try await body(store)
    for task in running { task.cancel() }
    await store.rig.stop()
    await cluster.remove()
  }

  /// Its announcer, its bell, and a tail.
  private func run() throws -> [Task<Void, any Error>] {
    let configuration = try database.configuration
    let announcer = Announcer(board: rig.member.board, pool: pool, logger: .silent)
    let bell = LogBell()
    return [
      Task { await announcer.run() }, Task { try await bell.run(configuration) },
      Task { try await tail(bell) },
    ]
  }

  private func tail(_ bell: LogBell) async throws {
    let subscription = Subscription(
      name: "a test", reader: LogReader(pool: pool, keys: PersonKeys(Rig.secret)), bell: bell,
      after: .empty)
    for try await page in subscription {
      if flaw == .gatesItsTail { try await gate(page.events) }
      reached.withLock { $0 = page.checkpoint }
    }
  }

  /// Waits until nothing is under way any more that began before these were stored.
  private func gate(_ events: [StoredEvent]) async throws {
    guard let last = events.last?.position else { return }
    try await eventually("nothing older is under way", withinSeconds: 600) {
      try await pool.withConnection { connection in
        try connection.query(
          """
          SELECT xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
          FROM log.events WHERE position = \(last.value)
          """)[0].decode(Bool.self, at: 0)
      }
    }
  }

  /// Commands a second, until the tail has given the last; 0 when something holds it up.
  private func rate() async throws -> Double {
    let turn = turns.withLock { turns in
      turns += 1
      return turns
    }
    // What a turn before it held up may have cost it the lead.
    try await rig.leads()
    if flaw == .scansDeadRows {
      // As the server does by itself, sooner or later: what nobody sees any more goes.
      try await pool.withConnection { connection in try connection.script("VACUUM log.counts") }
    }
    let start = ContinuousClock.now
    do {
      try await load(turn: turn)
      let head = rig.head.state.position
      try await eventually("the tail gives \(head)", withinSeconds: Self.turnLimitSeconds) {
        reached.withLock { $0 } >= head
      }
    } catch { return 0 }
    return Double(Self.commandsPerTurn) / ((ContinuousClock.now - start) / .seconds(1))
  }

  private func load(turn: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<Self.clients {
        group.addTask { [rig] in
          for step in 0..<(Self.commandsPerTurn / Self.clients) {
            let mark = PlaceMark(name: Name(known: "t\(turn)-\(client)-\(step)"))
            try await rig.send(mark, by: .tester(client))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// A turn without the disturbance. What was held up before it may have cost the store its lead or a
  /// session, once; nothing holds it up for ever.
  private func quietRate() async throws -> Double {
    let watch = Stopwatch()
    repeat {
      let rate = try await rate()
      if rate > 0 { return rate }
    } while watch.seconds < Pace.patienceSeconds
    throw TestFailure("held up for \(Int(watch.seconds)) s by nothing")
  }

  /// What it keeps of its rate: the median over pairs of turns that follow one another, so that what else
  /// the machine does is in both; which one is first alternates. 0 as soon as most were held up.
  func shareKept(beside disturbance: Disturbance) async throws -> Double {
    var shares: [Double] = []
    for round in 0..<Self.rounds {
      var quiet = 0.0
      if round % 2 == 0 { quiet = try await quietRate() }
      let running = try await Disturbing(disturbance, database)
      let disturbed = try await rate()
      try await running.end()
      if round % 2 == 1 { quiet = try await quietRate() }
      shares.append(disturbed / quiet)
      if shares.count(where: { $0 == 0 }) > Self.rounds / 2 { return 0 }
    }
    return shares.sorted()[shares.count / 2]
  }
}
