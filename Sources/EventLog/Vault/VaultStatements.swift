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

  /// Those of these persons who have a key, whatever else is known.
  package static func keyless(of persons: [ID<Person>]) -> Query {
    """
    SELECT count(*) FROM vault.person_keys
    WHERE person = ANY(\(persons.map(\.position.value))) AND wrapped IS NULL
    """
  }

  /// Where the last forgotten person was forgotten, of those whose key is destroyed.
  static let lastForgotten: Query =
    "SELECT coalesce(max(forgotten_at), 0)::int8 FROM vault.person_keys"

  /// A row that was changed leaves its old bytes in the file until they are written over. This writes
  /// the table into another file; it is small.
  package static let rewrite = "VACUUM (FULL) vault.person_keys"
}
