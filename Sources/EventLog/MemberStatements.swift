// The SQL of who reads the log: every wharfd says every two seconds that it is here, and what it reads.

import Hosting
import Postgres

package enum MemberStatements {
  /// Gives the database's time. Waits for no standby: who is here is a matter of this moment, and what
  /// is known of the log is read on while a standby is away.
  static func appear(
    instance: String, formatLevel: Int, address: String, position: Position
  ) -> Query {
    """
    INSERT INTO log.members AS m (instance, format_level, address, seen_at, position)
    SELECT \(instance), \(Int32(formatLevel)), \(address), clock_timestamp(), \(position.value)
    FROM (SELECT set_config('synchronous_commit', 'local', true)) AS durability(setting)
    ON CONFLICT (instance, address) DO UPDATE SET format_level = excluded.format_level,
      seen_at = excluded.seen_at, position = excluded.position
    RETURNING clock_timestamp()
    """
  }

  static func leave(instance: String, address: String) -> Query {
    "DELETE FROM log.members WHERE instance = \(instance) AND address = \(address)"
  }

  /// Those seen within so many seconds that have not read the log as far as a position.
  package static func behind(_ position: Position, withinSeconds seconds: Int) -> Query {
    """
    SELECT instance FROM log.members
    WHERE seen_at > clock_timestamp() - make_interval(secs => \(Double(seconds)))
      AND position < \(position.value)
    ORDER BY instance
    """
  }

  /// Those seen within so many seconds, by the database's clock.
  static func living(withinSeconds seconds: Int) -> Query {
    """
    SELECT instance, format_level FROM log.members
    WHERE seen_at > clock_timestamp() - make_interval(secs => \(Double(seconds)))
    ORDER BY instance
    """
  }
}
