// The log's clock is the database's, and never falls: across leaders, and across a database whose own
// clock is an hour off.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .timeLimit(.minutes(2))) struct ClockTests {
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

  @Test func `times never fall across leaders whose database is an hour off, and are its own`()
    async throws
  {
    let database = TestDatabase.current
    _ = try Migrator.migrate(database.configuration)
    var dated: [Int64] = []
    for (leader, hours) in [0, -1, 0, 1, 0].enumerated() {
      try shift(database, byHours: hours)
      let rig = try Rig(database.configuration, instance: "leader-\(leader)")
      try await rig.leads()
      for step in 0..<3 {
        let receipt = try await rig.send(PlaceMark(name: Name(known: "m-\(leader)-\(step)")))
        dated.append(receipt.events[0].recordedAt.microseconds)
      }
      // Past a beat, which reads the time anew.
      if leader == 1 { try await Task.sleep(for: .seconds(Candidacy.beatSeconds + 1)) }
      try await rig.send(PlaceMark(name: Name(known: "m-\(leader)-late")))
      await rig.stop()
      _ = try rig.verified()
    }
    let truth = try now(database)
    #expect(dated == dated.sorted())
    // An hour back: the time stands. An hour ahead: it is taken, and stands after.
    #expect(Set(dated[3..<6]).count == 1)
    #expect(dated[9] > truth + Self.hourMicroseconds / 2)
    #expect(Set(dated[12..<15]) == [dated[14]] && dated[14] >= dated[11])
  }
}
