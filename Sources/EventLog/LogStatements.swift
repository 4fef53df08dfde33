// The SQL of the log: one statement to append, the reads, the leader's row.

import Hosting
import Postgres

package enum LogStatements {
  static let channel = "wharf_log"

  package static let columns = """
    position, stream, type, schema_version, data, metadata, command_id, command_hash, \
    correlation_id, causation, actor, recorded_at, hash
    """

  private static let append = """
    INSERT INTO log.events (\(columns))
    SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::int2[], $5::json[], $6::json[], \
    $7::uuid[], $8::bytea[], $9::uuid[], $10::int8[], $11::text[], $12::timestamptz[], $13::bytea[])
    """

  private static let appendOne = """
    INSERT INTO log.events (\(columns))
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    """

  /// Before an append: the keys that its events are the first to be sealed with.
  private static let addKeys = """
    WITH keys AS (
      INSERT INTO vault.person_keys (person, wrapped)
      SELECT * FROM unnest($14::int8[], $15::bytea[])
    )
    """

  /// One autocommit statement for a whole batch; it fails whole when any position is taken.
  ///
  /// - Parameter keys: stored with it, or not at all.
  package static func append(_ rows: [StoredEvent], keys: [Sealing.NewKey] = []) -> Query {
    if !keys.isEmpty {
      let plain = appendMany(rows)
      return Query(
        "\(addKeys) \(plain.sql)",
        plain.parameters + [
          Parameter(keys.map(\.person.position.value)), Parameter(keys.map(\.wrapped)),
        ])
    }
    // Alone, an event goes in quicker without arrays.
    return rows.count == 1 ? appendOne(rows[0]) : appendMany(rows)
  }

  private static func appendMany(_ rows: [StoredEvent]) -> Query {
    Query(
      append,
      [
        Parameter(rows.map(\.position.value)),
        Parameter(rows.map(\.stream.description)),
        Parameter(rows.map(\.type)),
        Parameter(rows.map { Int16($0.schemaVersion) }),
        .jsonBytes(rows.map(\.data)),
        .jsonBytes(rows.map(\.metadata)),
        Parameter(rows.map { PostgresUUID($0.commandID) }),
        Parameter(rows.map(\.commandHash?.bytes)),
        Parameter(rows.map { PostgresUUID($0.correlationID) }),
        Parameter(rows.map(\.causation?.value)),
        Parameter(rows.map(\.actor.description)),
        Parameter(
          rows.map { PostgresTimestamp(microsecondsSinceUnixEpoch: $0.recordedAt.microseconds) }),
        Parameter(rows.map(\.hash.bytes)),
      ])
  }

  /// From so many rows on COPY is the lesser work, although the server is asked first.
  static let copyFromRows = 24

  static let copyIn = "COPY log.events (\(columns)) FROM STDIN (FORMAT binary)"

  private static func appendOne(_ row: StoredEvent) -> Query {
    Query(
      appendOne,
      [
        Parameter(row.position.value), Parameter(row.stream.description), Parameter(row.type),
        Parameter(Int16(row.schemaVersion)), .json(bytes: row.data), .json(bytes: row.metadata),
        Parameter(PostgresUUID(row.commandID)), Parameter(row.commandHash?.bytes),
        Parameter(PostgresUUID(row.correlationID)),
        Parameter(row.causation?.value), Parameter(row.actor.description),
        Parameter(PostgresTimestamp(microsecondsSinceUnixEpoch: row.recordedAt.microseconds)),
        Parameter(row.hash.bytes),
      ])
  }

  static func read(after position: Position, limit: Int) -> Query {
    Query(
      "SELECT \(columns) FROM log.events WHERE position > $1 ORDER BY position LIMIT $2",
      [Parameter(position.value), Parameter(Int64(limit))])
  }

  static func read(stream: Stream, after position: Position, limit: Int) -> Query {
    Query(
      """
      SELECT \(columns) FROM log.events WHERE stream = $1 AND position > $2 ORDER BY position LIMIT $3
      """, [Parameter(stream.description), Parameter(position.value), Parameter(Int64(limit))])
  }

  /// All events of each of these commands: those that follow its first without a break.
  static func read(commands ids: [CommandID]) -> Query {
    Query(
      """
      SELECT e.* FROM log.events f
      JOIN LATERAL (
        SELECT \(columns) FROM log.events
        WHERE position >= f.position AND position < f.position + \(Trial.eventsPerCommandLimit)
          AND command_id = f.command_id
      ) e ON true
      WHERE f.command_id = ANY($1) AND f.command_hash IS NOT NULL
      ORDER BY e.position
      """, [Parameter(ids.map { PostgresUUID($0) })])
  }

  /// The events after a position and up to another, for `Connection.copyOut`: the server sends on
  /// while the reader works, and libpq keeps no result of them.
  static func copy(after position: Position, upTo last: Position?) -> String {
    let end = last.map { " AND position <= \($0.value)" } ?? ""
    return """
      COPY (SELECT \(columns) FROM log.events WHERE position > \(position.value)\(end) \
      ORDER BY position) TO STDOUT (FORMAT binary)
      """
  }

  /// The log is durable whatever the database's own setting says.
  package static let durable: Query = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')
    """

  /// Returns without an error once everything that was committed before is where the server was told to
  /// bring it: rows that are found in the table may be there because someone ended the wait for a standby,
  /// or because the server crashed while it waited. A commit waits until a standby has the server's log up
  /// to its own record, and so all that comes before. It changes nothing; where the server waits for
  /// nobody it does not even commit.
  static let confirm: Query = """
    SELECT pg_logical_emit_message(true, 'wharf', ''::text)
    WHERE current_setting('synchronous_standby_names') <> ''
    """

  static let head: Query = "SELECT coalesce(max(position), 0)::int8 FROM log.events"

  // MARK: The leader's row

  static let leader: Query = """
    SELECT instance, beat, address, EXISTS (
      SELECT 1 FROM pg_stat_activity a WHERE a.pid = session_pid AND a.backend_start = session_start
    ), session_pid FROM log.leader
    """

  static func takeRow(instance: String, epoch: Position, address: String) -> Query {
    """
    INSERT INTO log.leader AS l (instance, epoch, address, beat, session_pid, session_start)
    SELECT \(instance), \(epoch.value), \(address), 1, pid, backend_start
    FROM pg_stat_activity WHERE pid = pg_backend_pid()
    ON CONFLICT (one) DO UPDATE SET instance = excluded.instance, epoch = excluded.epoch,
      address = excluded.address, beat = l.beat + 1, session_pid = excluded.session_pid,
      session_start = excluded.session_start
    WHERE l.epoch <= excluded.epoch
    """
  }

  static func beat(epoch: Position) -> Query {
    """
    UPDATE log.leader SET beat = beat + 1 WHERE epoch = \(epoch.value) AND instance IS NOT NULL
    RETURNING (SELECT coalesce(max(position), 0)::int8 FROM log.events)
    """
  }

  static func stepDown(epoch: Position) -> Query {
    "UPDATE log.leader SET instance = NULL, beat = beat + 1 WHERE epoch = \(epoch.value)"
  }
}

extension PostgresUUID {
  fileprivate init(_ id: CommandID) { self = id.withBytes { PostgresUUID(raw: $0) } }
}
