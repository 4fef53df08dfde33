// What somebody with the right to everything can do to a log: change a row and make the chain fit
// again, to the end. In SQL, and so also the chain's encoding written a second time.

package enum ChainSQL {
  /// Makes the functions below in the session.
  private static let functions = """
    CREATE OR REPLACE FUNCTION pg_temp.field(b bytea) RETURNS bytea LANGUAGE sql AS $$
      SELECT CASE WHEN b IS NULL THEN '\\xffffffff'::bytea ELSE int4send(length(b)) || b END $$;
    CREATE OR REPLACE FUNCTION pg_temp.field(t text) RETURNS bytea LANGUAGE sql AS $$
      SELECT pg_temp.field(convert_to(t, 'UTF8')) $$;
    CREATE OR REPLACE FUNCTION pg_temp.digest(e log.events) RETURNS bytea LANGUAGE sql AS $$
      SELECT sha256(
        pg_temp.field(int8send(e.position)) || pg_temp.field(e.stream) || pg_temp.field(e.type)
        || pg_temp.field(int8send(e.schema_version::int8)) || pg_temp.field(e.data::text)
        || pg_temp.field(e.metadata::text) || pg_temp.field(uuid_send(e.command_id))
        || pg_temp.field(e.command_hash) || pg_temp.field(uuid_send(e.correlation_id))
        || pg_temp.field(int8send(e.causation)) || pg_temp.field(e.actor)
        || pg_temp.field(int8send((extract(epoch FROM e.recorded_at) * 1000000)::int8))) $$;
    CREATE OR REPLACE FUNCTION pg_temp.rechain(start bigint) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        e log.events;
        chain bytea := coalesce(
          (SELECT hash FROM log.events WHERE position = start - 1),
          decode(repeat('00', 32), 'hex'));
      BEGIN
        FOR e IN SELECT * FROM log.events WHERE position >= start ORDER BY position LOOP
          chain := sha256(chain || pg_temp.digest(e));
          UPDATE log.events SET hash = chain WHERE position = e.position;
        END LOOP;
      END $$;
    """

  private static func unguarded(_ statements: String) -> String {
    """
    \(functions)
    BEGIN;
    ALTER TABLE log.events DISABLE TRIGGER events_append_only;
    \(statements)
    ALTER TABLE log.events ENABLE TRIGGER events_append_only;
    COMMIT;
    """
  }

  /// Changes the row at a position, as `actor = 'person/7'`, and all hashes from there on.
  package static func rewrite(_ position: Int64, _ change: String) -> String {
    unguarded(
      """
      UPDATE log.events SET \(change) WHERE position = \(position);
      SELECT pg_temp.rechain(\(position));
      """)
  }

  /// Takes away everything past a position.
  package static func cut(after position: Int64) -> String {
    unguarded("DELETE FROM log.events WHERE position > \(position);")
  }

  /// Appends so many events that change nothing, each of a command of its own.
  package static func grow(by count: Int) -> String {
    grow(by: count, stream: "log", type: "'commandNoted'", data: #"{"command":"provider.suspend"}"#)
  }

  /// Suspends a provider and reinstates it, by turns.
  package static func waver(_ provider: String, times count: Int) -> String {
    grow(
      by: count, stream: provider,
      type: "CASE n % 2 WHEN 1 THEN 'providerSuspended' ELSE 'providerReinstated' END", data: "{}")
  }

  private static func grow(by count: Int, stream: String, type: String, data: String) -> String {
    unguarded(
      """
      INSERT INTO log.events
      SELECT h.position + n, '\(stream)', \(type), 1, '\(data)', '{}',
        gen_random_uuid(), sha256(n::text::bytea), gen_random_uuid(), NULL, 'person/3',
        h.recorded_at, h.hash
      FROM generate_series(1, \(count)) n,
        (SELECT * FROM log.events ORDER BY position DESC LIMIT 1) h;
      SELECT pg_temp.rechain((SELECT max(position) - \(count) + 1 FROM log.events));
      """)
  }
}
