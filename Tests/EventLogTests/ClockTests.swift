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
    // An hour back: the time goes on from the last event's. An hour ahead: it is taken, and goes on after.
    let minute: Int64 = 60_000_000
    faults.note("an hour back, the time leaps", unless: dated[5] < dated[2] + minute)
    faults.note(
      "an hour ahead, the database's time is not taken",
      unless: dated[9] > truth + Self.hourMicroseconds / 2)
    faults.note(
      "after an hour ahead, the time leaps",
      unless: dated[14] >= dated[11] && dated[14] < dated[11] + minute)
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

  @Test func `a log that is ahead of its database goes on at half the speed, beat for beat`()
    async throws
  {
    let database = TestDatabase.current
    _ = try Migrator.migrate(database.configuration)
    try shift(database, byHours: 1)
    let ahead = try Rig(database.configuration, instance: "ahead")
    try await ahead.leads()
    let last = try await ahead.append("last")
    await ahead.stop()
    try shift(database, byHours: 0)
    let rig = try Rig(database.configuration, instance: "right")
    try await rig.leads()
    let (began, first) = (ContinuousClock.now, try await rig.append("first"))
    #expect(first >= last)
    // Whatever it does meanwhile, and however often it asks the database.
    var (count, times) = (0, [first])
    while ContinuousClock.now - began < .seconds(3 * Candidacy.beatSeconds) {
      count += 1
      times.append(try await rig.append("m-\(count)"))
      try await Task.sleep(for: .milliseconds(300))
    }
    let real = Int64((ContinuousClock.now - began) / .microseconds(1))
    #expect(times == times.sorted())
    let gone = times[count] - first
    #expect(gone <= real / 2 && gone >= real / 8, "\(gone) of \(real)")
    let clock = try #require(rig.member.board.current.clock)
    #expect((3_000...3_600).contains(try #require(clock.aheadSeconds(at: .now))))
    await rig.stop()
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

/// The arithmetic, without a database.
struct LogClockTests {
  private static let start = ContinuousClock.now
  private static let noon = Timestamp(microseconds: 1_750_000_000_000_000)

  /// - Returns: seconds after noon.
  private func seconds(_ clock: LogClock, after seconds: Int) -> Double {
    clock.now(Self.start + .seconds(seconds)).seconds(since: Self.noon)
  }

  /// The database says noon plus `database` seconds at `at`, the last event noon plus `event`.
  private func clock(
    _ database: Int64, at: Int = 0, event: Int64, after before: LogClock? = nil
  ) -> LogClock {
    LogClock(
      databaseTime: Self.noon.adding(seconds: database), readAt: Self.start + .seconds(at),
      recordedAt: Self.noon.adding(seconds: event), after: before)
  }

  @Test func `a log that is behind goes by the database`() {
    let clock = clock(0, event: -100)
    #expect((0...3).map { seconds(clock, after: $0) } == [0, 1, 2, 3])
    #expect(clock.aheadSeconds(at: Self.start) == nil)
  }

  @Test
  func `one that is ahead goes on at half the speed until both meet, and then with the database`() {
    let clock = clock(0, event: 100)
    #expect([0, 100, 200, 300].map { seconds(clock, after: $0) } == [100, 150, 200, 300])
    #expect(
      [0, 100, 189, 191].map { clock.aheadSeconds(at: Self.start + .seconds($0)) } == [
        100, 50, 5.5, nil,
      ])
  }

  @Test func `what is read anew goes on where it was, with and without an event since`() {
    let first = clock(0, event: 100)
    let none = clock(10, at: 10, event: 100, after: first)
    #expect(seconds(none, after: 10) == 105 && seconds(none, after: 20) == 110)
    // An event of three seconds ago, with the time of then.
    let one = clock(10, at: 10, event: 103, after: first)
    #expect(seconds(one, after: 10) == 105 && seconds(one, after: 20) == 110)
    // Another member's, who is further.
    let other = clock(10, at: 10, event: 120, after: first)
    #expect(seconds(other, after: 10) == 120 && seconds(other, after: 20) == 125)
  }

  @Test func `a database that was wrong for a moment, and nothing recorded, leaves nothing`() {
    let wrong = clock(3_600, event: 0, after: clock(0, event: 0))
    #expect(seconds(clock(10, at: 10, event: 0, after: wrong), after: 10) == 10)
  }
}
