// Which statements get prepared, purely and on a server.

import TestKit
import Testing

@testable import Postgres

@Suite struct StatementCacheTests {
  private static let preparedCount: Query = "SELECT count(*) FROM pg_prepared_statements"

  private func key(_ number: Int) -> StatementCache.Key { .init(Query("SELECT " + String(number))) }

  @Test func `a statement is prepared at its second use and used from the third`() {
    var cache = StatementCache()
    #expect(cache.use(key(1)) == .runUnprepared)
    #expect(cache.use(key(1)) == .prepare(name: "wharf_1"))
    cache.prepared(key(1), name: "wharf_1")
    #expect(cache.use(key(1)) == .runPrepared(name: "wharf_1"))
  }

  @Test func `the same text with other types is another statement`() {
    var cache = StatementCache()
    _ = cache.use(.init("SELECT \(1)"))
    #expect(cache.use(.init("SELECT \("1")")) == .runUnprepared)
  }

  @Test func `past its limit the one unused for longest goes, and is deallocated`() {
    var cache = StatementCache()
    for number in [1, 1, 2, 2] {
      if case .prepare(let name) = cache.use(key(number)) {
        cache.prepared(key(number), name: name)
      }
    }
    _ = cache.use(key(1))
    for number in 3...StatementCache.limit + 1 { _ = cache.use(key(number)) }
    #expect(cache.count == StatementCache.limit)
    #expect(cache.takeDoomed() == ["wharf_2"])
    #expect(cache.use(key(1)) == .runPrepared(name: "wharf_1"))
    #expect(cache.use(key(2)) == .runUnprepared)
  }

  @Test(.database) func `the server prepares once and deallocates what was evicted`() async throws {
    try await withConnection { connection in
      for number in 0..<5 { _ = try connection.query("SELECT \(number) + 1") }
      try connection.check(Self.preparedCount, gives: 1)
      for number in 0..<StatementCache.limit {
        _ = try connection.query(Query("SELECT " + String(number)))
      }
      for number in 0..<5 { _ = try connection.query("SELECT \(number) + 2") }
      try connection.check(Self.preparedCount, gives: 1)
    }
  }

  @Test(.database) func `a prepared statement survives a change of its table`() async throws {
    try await withConnection { connection in
      try connection.script("CREATE TABLE t (a int8); INSERT INTO t VALUES (1)")
      for _ in 0..<3 { _ = try connection.query("SELECT * FROM t") }
      try connection.script("ALTER TABLE t ADD COLUMN b int8 DEFAULT 2")
      let rows = try connection.query("SELECT * FROM t")
      #expect(rows.columnCount == 2)
      #expect(try rows.value(1) == 2)
    }
  }

  @Test(.database) func `a statement that was deallocated behind our back runs again`() async throws
  {
    try await withConnection { connection in
      for _ in 0..<3 { _ = try connection.query("SELECT \(1)") }
      try connection.script("DEALLOCATE ALL")
      for _ in 0..<3 { #expect(try connection.query("SELECT \(1)").value() == 1) }
    }
  }
}
