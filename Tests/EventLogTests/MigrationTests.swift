// A log that is in use is brought to a new form beside those who write to it.

import Migrations
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct MigrationTests {
  /// The database as it was before the indexes came, with something in it.
  private func older() async throws -> PostgresConfiguration {
    let database = try TestDatabase.current.configuration
    _ = try Migrator.migrate(database)
    var connection = try Connection(database)
    try connection.script(
      "DROP INDEX log.events_type, log.events_actor; DELETE FROM log.migrations WHERE number >= 6")
    return database
  }

  private func indexes(_ connection: inout Connection) throws -> Int {
    try connection.query(
      """
      SELECT 1::int4 FROM pg_index WHERE indisvalid
        AND indexrelid IN (to_regclass('log.events_type'), to_regclass('log.events_actor'))
      """
    ).count
  }

  @Test func `indexes are made while others go on writing`() async throws {
    let database = try await older()
    var writer = try Connection(database)
    try writer.script("BEGIN; LOCK TABLE log.events IN ROW EXCLUSIVE MODE")
    let migration = Task.detached { try Migrator.migrate(database).map(\.number) }
    var other = try Connection(database)
    try await eventually("the migration waits for who writes") {
      try other.query(
        """
        SELECT 1::int4 FROM pg_stat_activity WHERE datname = current_database()
          AND query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'
        """
      ).count > 0
    }
    // Who comes meanwhile is not behind it.
    try other.script(
      "SET lock_timeout = '10s'; BEGIN; LOCK TABLE log.events IN ROW EXCLUSIVE MODE; COMMIT")
    try writer.script("COMMIT")
    #expect(try await migration.value.first == 6)
    #expect(try indexes(&other) == 2)
  }

  @Test func `an index that was left unfinished is made anew`() async throws {
    let database = try await older()
    var connection = try Connection(database)
    try connection.script("CREATE INDEX events_type ON log.events (type)")
    try connection.script(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('log.events_type')")
    #expect(try Migrator.migrate(database).first?.number == 6)
    #expect(try indexes(&connection) == 2)
    #expect(try Migrator.migrate(database).isEmpty)
  }
}
