// Which database this is, and what stands at one position of its log.

import Hosting
import Postgres

extension LogStatements {
  /// The timeline is that which is written now: the control file's is behind for a moment after a
  /// promotion.
  private static let databaseIdentity: Query = """
    SELECT s.system_identifier::text,
      CASE WHEN pg_is_in_recovery() THEN c.timeline_id::int8
      ELSE ('x' || lpad(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), 16, '0'))
        ::bit(64)::int8 END,
      d.oid::int8, 'log.events'::regclass::oid::int8, clock_timestamp()
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
    WHERE d.datname = current_database()
    """

  static func readIdentity(
    _ connection: inout Connection, timeout: Duration? = nil
  ) throws -> (identity: DatabaseIdentity, databaseTime: Timestamp) {
    let rows = try connection.query(databaseIdentity, timeout: timeout)
    let time = try rows[0].decode(PostgresTimestamp.self, at: 4)
    return (
      DatabaseIdentity(
        systemIdentifier: try rows[0].decode(String.self, at: 0),
        timeline: Int(try rows[0].decode(Int64.self, at: 1)),
        database: try rows[0].decode(Int64.self, at: 2),
        table: try rows[0].decode(Int64.self, at: 3)),
      Timestamp(microseconds: time.microsecondsSinceUnixEpoch)
    )
  }

  static func readHead(_ connection: inout Connection) throws -> Position {
    let rows = try connection.query(head)
    return Position(try rows[0].decode(Int64.self, at: 0))
  }

  static func hash(at position: Position) -> Query {
    "SELECT hash FROM log.events WHERE position = \(position.value)"
  }

  /// The hash at a position; of the empty log at 0, none past the end.
  static func readHash(
    at position: Position, _ connection: inout Connection, timeout: Duration? = nil
  ) throws -> Digest? {
    if position == .empty { return Chain.origin }
    let rows = try connection.query(hash(at: position), timeout: timeout)
    return rows.count == 0 ? nil : Digest(bytes: try rows[0].decode([UInt8].self, at: 0))
  }
}
