// The log's clock is the database's, and never falls: across leaders, and across a database whose own
// clock is an hour off.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct ClockTests {
  private static let hourMicroseconds: Int64 = 3_600_000_000

  /// From here on the sessions of this database are told a time that is so much off.
  private func shift(_ database: TestDatabase, byHours hours: Int) throws {
    var connection = try database.connect()
    // What stands before pg_catalog on the search path shadows it.
    try connection.script(
      """
      CREATE SCHEMA IF NOT EXISTS shifted;
      CREATE OR REPLACE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
        $$ SELECT pg_catalog.clock_timestamp() + interval '\(hours) hours' $$;
      ALTER DATABASE \(database.name) SET search_path = shifted, pg_catalog, public;
      """)
  }

  private func now(_ database: TestDatabase) throws -> Int64 {
    var connection = try database.connect()
    return try connection.query("SELECT pg_catalog.clock_timestamp()")[0]
      .decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch
  }

  /// Five leaders, one after another, each told another time by the database.
  private func faults<Log: DatedLog>(
    _ lead: (_ leader: Int) async throws -> Log
  ) async throws -> [Fault] {
    let database = TestDatabase.current
    var faults = Faults()
    var dated: [Int64] = []
    for (leader, hours) in [0, -1, 0, 1, 0].enumerated() {
      try shift(database, byHours: hours)
      let log = try await lead(leader)
      for step in 0..<3 { dated.append(try await log.append("m-\(leader)-\(step)")) }
      // Past a beat, which reads the time anew.
      if leader == 1 { try await Task.sleep(for: .seconds(Candidacy.beatSeconds + 1)) }
      _ = try await log.append("m-\(leader)-late")
      await log.stop()
      let all = try await log.dates()
      faults.note("a time falls under leader \(leader)", unless: all == all.sorted())
    }
    let truth = try now(database)
    faults.note("a time that was answered falls", unless: dated == dated.sorted())
    // An hour back: the time stands. An hour ahead: it is taken, and stands after.
    faults.note("an hour back, the time goes on", unless: Set(dated[3..<6]).count == 1)
    faults.note(
      "an hour ahead, the database's time is not taken",
      unless: dated[9] > truth + Self.hourMicroseconds / 2)
    faults.note(
      "after an hour ahead, the time goes on",
      unless: Set(dated[12..<15]) == [dated[14]] && dated[14] >= dated[11])
    return faults.all
  }

  @Test func `times never fall across leaders whose database is an hour off, and are its own`()
    async throws
  {
    let database = TestDatabase.current
    _ = try Migrator.migrate(database.configuration)
    let found = try await faults { leader in
      let rig = try Rig(database.configuration, instance: "leader-\(leader)")
      try await rig.leads()
      return rig
    }
    #expect(found == [])
  }

  @Test(arguments: ToyClock.allCases)
  func `clocks that fall are found out`(clock: ToyClock) async throws {
    let database = TestDatabase.current
    var connection = try database.connect()
    try connection.script("CREATE TABLE toy (position bigserial PRIMARY KEY, at timestamptz)")
    let found = try await faults { _ in try ToyDatedLog(clock, database.configuration) }
    #expect(found.isEmpty == (clock == .right), "\(found)")
  }
}

/// A log with one leader at a time, who dates what is appended.
private protocol DatedLog {
  /// - Returns: its time, in microseconds.
  func append(_ name: String) async throws -> Int64
  func dates() async throws -> [Int64]
  func stop() async
}

extension Rig: DatedLog {
  func append(_ name: String) async throws -> Int64 {
    try await send(PlaceMark(name: Name(known: name))).events[0].recordedAt.microseconds
  }

  /// Verified, too.
  func dates() throws -> [Int64] { try verified().map(\.recordedAt.microseconds) }
}

enum ToyClock: String, CaseIterable, Sendable, CustomStringConvertible {
  case right
  case unclamped = "the database's time as it is"
  /// No lower than what this leader wrote; it never asked what the one before it did.
  case clampedToOwn = "clamped to the leader's own"
  /// No lower than the last, from the clock of its own machine.
  case own = "the leader's clock"

  var description: String { rawValue }
}

private final class ToyDatedLog: DatedLog {
  private let clock: ToyClock
  private let pool: Pool
  private let last = Mutex<Int64>(0)

  init(_ clock: ToyClock, _ database: PostgresConfiguration) throws {
    self.clock = clock
    pool = try Pool(database)
  }

  func append(_ name: String) async throws -> Int64 {
    let before = "coalesce((SELECT max(at) FROM toy), '-infinity')"
    let time =
      switch clock {
      case .right: "greatest(clock_timestamp(), \(before))"
      case .unclamped: "clock_timestamp()"
      case .clampedToOwn:
        "greatest(clock_timestamp(), to_timestamp(\(last.withLock { $0 }) / 1000000.0))"
      case .own: "greatest(pg_catalog.clock_timestamp(), \(before))"
      }
    let rows = try await pool.query(
      Query("INSERT INTO toy (at) VALUES (\(time)) RETURNING at", []))
    let at = try rows[0].decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch
    last.withLock { $0 = at }
    return at
  }

  func dates() async throws -> [Int64] {
    try await pool.query("SELECT at FROM toy ORDER BY position").map {
      try $0.decode(PostgresTimestamp.self, at: 0).microsecondsSinceUnixEpoch
    }
  }

  func stop() async {}
}
