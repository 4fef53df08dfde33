// The SQL of the vault: the keys of persons, one row each, and how one ends.

import Hosting
import Postgres

package enum VaultStatements {
  static let primaryKey = "person_keys_pkey"

  static func keys(of persons: [ID<Person>]) -> Query {
    """
    SELECT person, wrapped, forgotten_at FROM vault.person_keys
    WHERE person = ANY(\(persons.map(\.position.value)))
    """
  }

  static let allKeys: Query = "SELECT person, wrapped, forgotten_at FROM vault.person_keys"

  /// Takes the keys of these persons away; that they were forgotten, and where, stays. So no key is
  /// ever made for one of them again, and no snapshot of before is written.
  package static func destroy(_ persons: [(id: ID<Person>, forgotten: Position)]) -> Query {
    Query(
      """
      INSERT INTO vault.person_keys AS k (person, wrapped, forgotten_at)
      SELECT person, NULL, forgotten_at FROM unnest($1::int8[], $2::int8[]) AS f(person, forgotten_at)
      ON CONFLICT (person) DO UPDATE SET wrapped = NULL, forgotten_at = excluded.forgotten_at
      WHERE k.wrapped IS NOT NULL OR k.forgotten_at IS DISTINCT FROM excluded.forgotten_at
      """,
      [
        Parameter(persons.map(\.id.position.value)), Parameter(persons.map(\.forgotten.value)),
      ])
  }

  /// Takes every key away: the secret that they were wrapped with is lost.
  static func giveUpAll(at position: Position) -> Query {
    """
    UPDATE vault.person_keys SET wrapped = NULL, forgotten_at = \(position.value)
    WHERE wrapped IS NOT NULL
    """
  }

  /// Notes of those who have no key here, and are not known to be forgotten either, that theirs is lost: what was
  /// sealed with it never opens again, so none is ever made for them.
  static func giveUp(_ persons: [ID<Person>], at position: Position) -> Query {
    Query(
      """
      INSERT INTO vault.person_keys (person, wrapped, forgotten_at)
      SELECT person, NULL, $2 FROM unnest($1::int8[]) AS p(person) ON CONFLICT DO NOTHING
      """, [Parameter(persons.map(\.position.value)), Parameter(position.value)])
  }

  static func keys(upTo head: Position) -> Query {
    """
    SELECT person, wrapped, forgotten_at FROM vault.person_keys
    WHERE person <= \(head.value) ORDER BY person
    """
  }

  /// Adds keys where there are none, or where they were given up at a position: nothing was sealed there since.
  static func add(
    _ keys: [(person: Position, wrapped: [UInt8])], givenUpAt position: Position
  ) -> Query {
    Query(
      """
      INSERT INTO vault.person_keys AS k (person, wrapped)
      SELECT * FROM unnest($1::int8[], $2::bytea[])
      ON CONFLICT (person) DO UPDATE SET wrapped = excluded.wrapped, forgotten_at = NULL
      WHERE k.wrapped IS NULL AND k.forgotten_at = $3
      """,
      [
        Parameter(keys.map(\.person.value)), Parameter(keys.map(\.wrapped)),
        Parameter(position.value),
      ])
  }

  /// The first of these persons whose key here is not that one, and where it was destroyed.
  static func otherThan(_ keys: [(person: Position, wrapped: [UInt8])]) -> Query {
    Query(
      """
      SELECT k.person, k.forgotten_at FROM vault.person_keys k
      JOIN unnest($1::int8[], $2::bytea[]) AS g(person, wrapped) ON g.person = k.person
      WHERE k.wrapped IS DISTINCT FROM g.wrapped ORDER BY k.person LIMIT 1
      """, [Parameter(keys.map(\.person.value)), Parameter(keys.map(\.wrapped))])
  }

  /// Where the last forgotten person was forgotten, of those whose key is destroyed.
  static let lastForgotten: Query =
    "SELECT coalesce(max(forgotten_at), 0)::int8 FROM vault.person_keys"

  /// The number of a transaction after all that were committed here.
  package static let transactionNumber: Query = "SELECT pg_current_xact_id()::xid::text"

  /// The sessions that may still see what was changed before a transaction, or that make PostgreSQL think so:
  /// a rewrite of a table keeps old rows for them. Transactions that write count in every database, since
  /// all others look at the oldest of them. Once there is nobody, there is nobody ever again.
  package static func whoSeesBefore(_ transaction: String) -> Query {
    """
    SELECT 'the transaction of ' || coalesce(nullif(application_name, ''), 'somebody') || ', pid ' || pid
    FROM pg_stat_activity, (SELECT age(\(transaction)::text::xid) AS old) AS x
    WHERE pid <> pg_backend_pid() AND (age(backend_xid) > x.old OR (age(backend_xmin) > x.old
      AND (datname = current_database() OR backend_type = 'walsender')))
    UNION ALL
    SELECT 'the prepared transaction ' || gid FROM pg_prepared_xacts
    WHERE age(transaction) > age(\(transaction)::text::xid)
    UNION ALL
    SELECT 'the replication slot ' || slot_name FROM pg_replication_slots
    WHERE age(xmin) > age(\(transaction)::text::xid)
    UNION ALL
    SELECT 'a transaction' WHERE age(pg_snapshot_xmin(pg_current_snapshot())::xid)
      > age(\(transaction)::text::xid)
    """
  }

  /// A row that was changed leaves its old bytes in the file until they are written over. This writes
  /// the table into another file; it is small.
  package static let rewrite = "VACUUM (FULL) vault.person_keys"
}
