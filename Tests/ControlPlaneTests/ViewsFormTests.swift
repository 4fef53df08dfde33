// The views' form: what is in the migration, and what the projector writes, must be one.

import HashTreeCollections
import Hosting
import Migrations
import Postgres
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database) struct ViewsFormTests {
  @Test func `every type of event has a sentence`() {
    for type in EventTypes.all {
      #expect(Sentences.hasSentence(for: type.type), "\(type.type) is told in no sentence")
    }
  }

  @Test func `sentences name things as people do`() async throws {
    try await offPool {
      var log = try RandomLog(seed: 5)
      try log.grow(by: 800)
      var projection = Projection(keys: log.keys)
      let (changes, _) = projection.advance(log.events)
      for row in changes.timeline {
        guard case .text(let sentence) = row[8], case .text(let type) = row[4] else {
          Issue.record("no sentence at \(row[0])")
          continue
        }
        #expect(sentence.hasSuffix("."), "\(type): \(sentence)")
        #expect(!sentence.contains("  ") && !sentence.contains("Optional"), "\(type): \(sentence)")
        #expect(
          sentence.firstMatch(of: /(model|team|provider|node|deployment)\/\d/) == nil, "\(sentence)"
        )
        #expect(row[9] == .text("because"))
      }
    }
  }

  @Test func `tables and columns are as the projector writes them`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      _ = try Rebuild.run(&connection, keys: .none) { _ in }
      let rows = try connection.query(
        """
        SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
          coalesce(a.attnum = ANY (i.indkey), false), a.atthasdef
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE c.relnamespace = 'views'::regnamespace AND c.relkind = 'r' AND c.relname <> 'checkpoint'
        ORDER BY c.relname, a.attnum
        """)
      var actual: [String: [String]] = [:]
      for row in rows {
        let name = try row.decode(String.self, at: 0)
        let column = try row.decode(String.self, at: 1)
        let type = try row.decode(String.self, at: 2)
        let isKey = try row.decode(Bool.self, at: 3)
        let hasDefault = try row.decode(Bool.self, at: 4)
        #expect(!hasDefault, "\(name).\(column) has a default")
        actual[name, default: []].append("\(column) \(type)\(isKey ? " key" : "")")
      }
      for table in ViewRows.tables {
        let wanted = table.columns.enumerated().map { index, column in
          "\(column.name) \(column.type.rawValue)\(index < table.keyCount ? " key" : "")"
        }
        #expect(actual.removeValue(forKey: table.name) == wanted)
      }
      #expect(actual.isEmpty, "tables that nobody writes: \(actual.keys)")
    }
  }

  @Test func `every table and column has a comment`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      _ = try Rebuild.run(&connection, keys: .none) { _ in }
      let rows = try connection.query(
        """
        SELECT c.relname::text || coalesce('.' || a.attname, '')
        FROM pg_class c
        JOIN LATERAL (
          SELECT 0 AS attnum, NULL::name AS attname UNION ALL
          SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
        ) a ON true
        LEFT JOIN pg_description d
          ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
        WHERE c.relnamespace = 'views'::regnamespace AND c.relkind = 'r'
          AND coalesce(d.description, '') = ''
        """)
      #expect(try rows.map { try $0.decode(String.self, at: 0) } == [])
    }
  }

  @Test func `the migration bears being applied twice, and leaves what is there`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      try connection.script("INSERT INTO views.marks VALUES ('kept', 1, '2026-01-01')")
      try connection.script(Migrations.views.sql)
      let rows = try connection.query("SELECT count(*) FROM views.marks")
      #expect(try rows[0].decode(Int64.self, at: 0) == 1)
    }
  }

  @Test func `no digest of a secret is in the views`() async throws {
    _ = try Migrator.migrate(TestDatabase.current.configuration)
    try await onThread { connection in
      var log = try RandomLog(seed: 2)
      try log.grow(by: 600)
      try log.store(&connection)
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
      let text = try copies("views", &connection).values.joined().joined()
      var secrets = log.state.credentials.keys.map(\.description)
      secrets += log.state.keyBySecret.keys.map(\.description) + ["hidden-from-views"]
      #expect(secrets.count > 10)
      for secret in secrets { #expect(!text.contains(secret)) }
    }
  }
}
