// Brings a database to the form that this program needs: each migration once, in order, in one
// transaction. Refuses a database that a newer program migrated.

import Hosting
import Migrations
import Postgres

package enum Migrator {
  /// Only one wharfd migrates at a time; the number is ours alone.
  private static let lockNumber: Int64 = 0x7768_6172_66
  private static let lockTimeoutSeconds = 60
  /// A migration may copy a long log.
  private static let statementTimeoutSeconds = 6 * 3_600

  /// Applies what is missing and returns it.
  package static func migrate(_ configuration: PostgresConfiguration) throws -> [Migration] {
    var configuration = configuration
    configuration.statementTimeout = .seconds(statementTimeoutSeconds)
    var connection = try Connection(configuration, timeout: .seconds(10))
    try connection.script("SET lock_timeout = '\(lockTimeoutSeconds)s'")
    return try connection.transaction { connection in
      try connection.execute("SELECT pg_advisory_xact_lock(\(lockNumber))")
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
