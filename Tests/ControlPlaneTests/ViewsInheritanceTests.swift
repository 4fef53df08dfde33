// Whoever could read the views reads them after they were made anew, and nobody else does: by `wharfd
// rebuild`, and by an erasure.

import Hosting
import Postgres
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct ViewsInheritanceTests {
  /// Roles are the whole cluster's, so each test has its own.
  private func withRoles(
    _ body: (_ reader: String, _ heir: String) async throws -> Void
  ) async throws {
    let (reader, heir) = (
      "reader_of_\(TestDatabase.current.name)", "heir_of_\(TestDatabase.current.name)"
    )
    try await onThread { connection in
      try connection.script(
        "CREATE ROLE \(reader); CREATE ROLE \(heir); CREATE ROLE \(reader)_2;")
    }
    do { try await body(reader, heir) } catch {
      try? await dropRoles([reader, heir, "\(reader)_2"])
      throw error
    }
    try await dropRoles([reader, heir, "\(reader)_2"])
  }

  private func dropRoles(_ names: [String]) async throws {
    try await onThread { connection in
      for name in names { try connection.script("DROP OWNED BY \(name); DROP ROLE \(name);") }
    }
  }

  /// What a role may do with the views, found by doing it.
  private func deeds(of role: String) async throws -> [String: Bool] {
    try await onThread { connection in
      var deeds: [String: Bool] = [:]
      try connection.script("SET ROLE \(role)")
      for statement in [
        "SELECT count(*) FROM views.deployments", "SELECT name FROM views.persons",
        "SELECT email FROM views.persons", "DELETE FROM views.timeline WHERE false",
        "SELECT count(*) FROM views.teams", "SELECT count(*) FROM views.checkpoint",
        "CREATE TABLE views.mine (a int)",
      ] {
        do throws(PostgresError) {
          try connection.script("BEGIN; \(statement); ROLLBACK")
          deeds[statement] = true
        } catch {
          try #require(error.sqlState == "42501", "\(error)")
          try connection.script("ROLLBACK")
          deeds[statement] = false
        }
      }
      return deeds
    }
  }

  /// Everything that the catalogs say of rights, owners and remarks.
  private func catalogs() async throws -> [String] {
    try await onThread { connection in
      let rows = try connection.query(
        """
        SELECT text FROM (
          SELECT concat_ws(' ', 'schema', nspowner::regrole,
            (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(nspacl) a),
            obj_description(oid, 'pg_namespace')) FROM pg_namespace WHERE nspname = 'views'
          UNION ALL
          SELECT concat_ws(' ', relname, relowner::regrole,
            (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(relacl) a),
            obj_description(oid, 'pg_class'))
          FROM pg_class WHERE relnamespace = 'views'::regnamespace AND relkind = 'r'
          UNION ALL
          SELECT concat_ws(' ', attrelid::regclass, attname, attacl::text,
            col_description(attrelid, attnum))
          FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
          WHERE relnamespace = 'views'::regnamespace AND relkind = 'r' AND attnum > 0
          UNION ALL
          SELECT concat_ws(' ', 'default', defaclrole::regrole, defaclobjtype, defaclacl::text)
          FROM pg_default_acl WHERE defaclnamespace = 'views'::regnamespace
        ) s(text) ORDER BY text
        """)
      return try rows.map { try $0.decode(String.self, at: 0) }
    }
  }

  private func grant(_ reader: String, _ heir: String) async throws {
    try await onThread { connection in
      // Tables of this program's form.
      _ = try rebuildWhenFree(&connection) { _ in }
      try connection.script(
        """
        GRANT CREATE ON DATABASE \(TestDatabase.current.name) TO \(heir);
        GRANT USAGE ON SCHEMA views TO \(reader);
        GRANT USAGE ON SCHEMA views TO \(reader)_2 WITH GRANT OPTION;
        GRANT SELECT ON views.deployments TO \(reader);
        GRANT SELECT (name) ON views.persons TO \(reader);
        GRANT DELETE, SELECT ON views.timeline TO \(reader) WITH GRANT OPTION;
        GRANT SELECT ON views.teams TO PUBLIC;
        GRANT CREATE ON SCHEMA views TO \(heir);
        ALTER TABLE views.timeline OWNER TO \(heir);
        ALTER DEFAULT PRIVILEGES IN SCHEMA views GRANT SELECT ON TABLES TO \(reader);
        COMMENT ON TABLE views.deployments IS 'Ask Grace first: it''s "hers".';
        COMMENT ON COLUMN views.deployments.name IS NULL;
        """)
    }
  }

  @Test(arguments: [false, true])
  func `a role reads after a rebuild what it read before, and no more`(
    isProjector: Bool
  ) async throws {
    let rig = try await LogRig(TestDatabase.current)
    try await withRoles { reader, heir in
      try await grant(reader, heir)
      let (before, known) = (try await deeds(of: reader), try await catalogs())
      #expect(before["SELECT count(*) FROM views.deployments"] == true)
      #expect(before["SELECT name FROM views.persons"] == true)
      #expect(before["SELECT email FROM views.persons"] == false)
      #expect(before["DELETE FROM views.timeline WHERE false"] == true)
      #expect(before["SELECT count(*) FROM views.teams"] == true)
      #expect(before["SELECT count(*) FROM views.checkpoint"] == false)
      // Twice: what was carried over is carried over again.
      for _ in 0..<2 {
        try await onThread { connection in
          _ = try rebuildWhenFree(&connection) { _ in }
        }
        #expect(try await deeds(of: reader) == before)
        let found = try await catalogs()
        #expect(Set(found).symmetricDifference(known).sorted() == [])
      }
      if isProjector {
        // It goes on writing into what it may not own any more.
        try await withProjector(rig) { try await viewsCatchUp(rig) }
      }
    }
    await rig.stop()
  }

  @Test func `tables that a new form brings are open to whom new tables were promised`()
    async throws
  {
    let rig = try await LogRig(TestDatabase.current)
    try await withRoles { reader, heir in
      try await grant(reader, heir)
      try await onThread { connection in
        // As an older program left them.
        try connection.script(
          "DROP TABLE views.marks; UPDATE views.checkpoint SET form = decode('00', 'hex')")
        _ = try rebuildWhenFree(&connection) { _ in }
        try connection.script("SET ROLE \(reader)")
        #expect(try connection.query("SELECT count(*) FROM views.marks").count == 1)
        #expect(try connection.query("SELECT count(*) FROM views.deployments").count == 1)
      }
    }
    await rig.stop()
  }
}
