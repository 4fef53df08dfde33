// Statements by interpolation.

import Postgres
import TestKit
import Testing

@Suite struct QueryTests {
  @Test func `values become numbered parameters, never text`() {
    let query: Query = "SELECT * FROM t WHERE a = \(1) AND b = \("x'; DROP TABLE t")"
    #expect(query.sql == "SELECT * FROM t WHERE a = $1 AND b = $2")
    #expect(query.parameters.map(\.oid) == [PostgresType.int8, PostgresType.text])
  }

  @Test func `identifiers are quoted`() {
    let name = "we\"ird"
    let query: Query = "SELECT \(identifier: name) FROM \(identifier: "events")"
    #expect(query.sql == "SELECT \"we\"\"ird\" FROM \"events\"")
    #expect(query.parameters.isEmpty)
  }

  @Test(.database) func `a quoted identifier is that name to the server`() async throws {
    try await withConnection { connection in
      let name = "odd \"name\"; --"
      try connection.execute("CREATE TABLE \(identifier: name) (\(identifier: name) int8)")
      try connection.execute("INSERT INTO \(identifier: name) VALUES (\(5))")
      try connection.check("SELECT \(identifier: name) FROM \(identifier: name)", gives: 5)
    }
  }

  @Test func `a description shows text but no values`() {
    let query: Query = "SELECT\n  \("hunter2")   AS secret"
    #expect("\(query)" == "SELECT $1 AS secret")
    #expect(String(reflecting: query) == "SELECT $1 AS secret")
    var dumped = ""
    dump(query, to: &dumped)
    #expect(!dumped.contains("hunter2") && !dumped.contains("104"))
  }

  @Test func `a long statement is shortened in errors`() {
    let query = Query("SELECT " + String(repeating: "x", count: 500))
    #expect(query.description.count == PostgresError.sqlPreviewCharacters + 1)
    #expect(query.description.hasSuffix("…"))
  }
}
