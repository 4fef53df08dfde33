// Brings a database to the form that this program needs: each migration once, in order, in one
// transaction. Refuses a database that a newer program migrated.
//
// Indexes on a table of events that is there already are made before, beside those who write: an old wharfd goes on
// leading while a long log is indexed.

import Hosting
import Migrations
import Postgres

package enum Migrator {
  /// Only one wharfd migrates at a time; the number is ours alone.
  private static let lockNumber: Int64 = 0x7768_6172_66
  private static let lockTimeoutSeconds = 60
  private static let lockPauseMilliseconds = 100
  /// A migration may copy a long log.
  private static let statementTimeoutSeconds = 6 * 3_600

  /// Applies what is missing and returns it.
  package static func migrate(_ configuration: PostgresConfiguration) throws -> [Migration] {
    var configuration = configuration
    configuration.statementTimeout = .seconds(statementTimeoutSeconds)
    var connection = try Connection(configuration, timeout: .seconds(10))
    try connection.script("SET lock_timeout = '\(lockTimeoutSeconds)s'")
    try lock(&connection)
    try makeIndexes(&connection)
    return try connection.transaction { connection in
      try connection.script(bookkeeping)
      let rows = try connection.query("SELECT number, sha256 FROM log.migrations ORDER BY number")
      var applied: [Int: [UInt8]] = [:]
      for index in 0..<rows.count {
        applied[Int(try rows[index].decode(Int32.self, at: 0))] =
          try rows[index].decode([UInt8].self, at: 1)
      }
      if let newest = applied.keys.max(), let known = Migrations.all.last?.number, newest > known {
        throw LogError.databaseNewer(applied: newest, known: known)
      }
      var done: [Migration] = []
      for migration in Migrations.all {
        let digest = Digest(sha256Of: Array(migration.sql.utf8))
        if let known = applied[migration.number] {
          guard known == digest.bytes else {
            throw LogError.migrationDiffers(number: migration.number, name: migration.name)
          }
          continue
        }
        try connection.script(migration.sql)
        try connection.execute(
          """
          INSERT INTO log.migrations (number, name, sha256)
          VALUES (\(Int32(migration.number)), \(migration.name), \(digest.bytes))
          """)
        done.append(migration)
      }
      return done
    }
  }

  /// Held until the connection ends. It is tried for again and again: a statement that waits is a reader for whom
  /// an index that is being made would wait in turn.
  private static func lock(_ connection: inout Connection) throws {
    let tries = lockTimeoutSeconds * 1_000 / lockPauseMilliseconds
    for _ in 0..<tries {
      let rows = try connection.query("SELECT pg_try_advisory_lock(\(lockNumber))")
      if try rows[0].decode(Bool.self, at: 0) { return }
      try connection.script("SELECT pg_sleep(\(Double(lockPauseMilliseconds) / 1_000))")
    }
    throw LogError.migratesElsewhere
  }

  /// Those of missing migrations, on tables that have rows.
  private static func makeIndexes(_ connection: inout Connection) throws {
    let known = try connection.query(
      "SELECT to_regclass('log.migrations') IS NOT NULL AND to_regclass('log.events') IS NOT NULL")
    guard try known[0].decode(Bool.self, at: 0) else { return }
    let rows = try connection.query("SELECT number FROM log.migrations")
    let applied = try Set((0..<rows.count).map { Int(try rows[$0].decode(Int32.self, at: 0)) })
    for migration in Migrations.all where !applied.contains(migration.number) {
      for line in migration.sql.split(separator: "\n") where line.hasPrefix(indexOnEvents.start) {
        guard let range = line.firstRange(of: indexOnEvents.end) else { continue }
        let name = String(line[..<range.lowerBound].dropFirst(indexOnEvents.start.count))
        // One that was left unfinished is no index.
        let unfinished = try connection.query(
          "SELECT 1::int4 FROM pg_index WHERE indexrelid = to_regclass(\("log.\(name)")) AND NOT indisvalid"
        )
        if unfinished.count > 0 { try connection.script("DROP INDEX log.\(name)") }
        try connection.script(
          "CREATE INDEX CONCURRENTLY IF NOT EXISTS " + line.dropFirst(indexOnEvents.start.count))
      }
    }
  }

  private static let indexOnEvents = (start: "CREATE INDEX IF NOT EXISTS ", end: " ON log.events ")

  private static let bookkeeping = """
    CREATE SCHEMA IF NOT EXISTS log;
    CREATE TABLE IF NOT EXISTS log.migrations (
      number integer PRIMARY KEY,
      name text NOT NULL,
      sha256 bytea NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    COMMENT ON TABLE log.migrations IS 'Which migrations were applied, and the digest of each text.';
    """
}
