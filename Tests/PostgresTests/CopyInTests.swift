// Feeding COPY … FROM STDIN: all rows or none, and the connection goes on either way.

import Postgres
import TestKit
import Testing

@Suite(.database) struct CopyInTests {
  private static let copy = "COPY t (n, word, at) FROM STDIN (FORMAT binary)"

  private static func data(_ numbers: [Int64], word: String? = "berth") -> [UInt8] {
    var data = CopyRowWriter(expectedBytes: 0)
    for number in numbers {
      data.row(fields: 3)
      data.field(number)
      if let word { data.field(word) } else { data.null() }
      data.field(PostgresTimestamp(microsecondsSinceUnixEpoch: number))
    }
    data.end()
    return data.bytes
  }

  private static func table(_ connection: inout Connection) throws {
    try connection.script("CREATE TABLE t (n int8 PRIMARY KEY, word text, at timestamptz)")
  }

  private static func send(_ data: [UInt8], _ connection: inout Connection) throws {
    try connection.sendCopyIn(copy)
    try connection.sendCopyData(data)
    _ = try connection.receive()
  }

  @Test func `rows go in as they are, also many and large ones`() async throws {
    try await withConnection { connection in
      try Self.table(&connection)
      try Self.send(Self.data([1, 2], word: nil), &connection)
      let long = String(repeating: "quay ", count: 2_000)
      try Self.send(Self.data(Array(3...1_002), word: long), &connection)
      let rows = try connection.query(
        """
        SELECT count(*), count(word), sum(n)::int8, max(length(word))::int8,
          (extract(epoch FROM max(at)) * 1000000)::int8 FROM t
        """)
      #expect(try rows[0].decode(Int.self, at: 0) == 1_002)
      #expect(try rows[0].decode(Int.self, at: 1) == 1_000)
      #expect(try rows[0].decode(Int.self, at: 2) == 1_002 * 1_003 / 2)
      #expect(try rows[0].decode(Int.self, at: 3) == 10_000)
      #expect(try rows[0].decode(Int.self, at: 4) == 1_002)
    }
  }

  @Test func `one row that does not fit keeps all out, and its constraint is named`() async throws {
    try await withConnection { connection in
      try Self.table(&connection)
      try Self.send(Self.data([7]), &connection)
      let error = #expect(throws: PostgresError.self) {
        try Self.send(Self.data([5, 6, 7, 8]), &connection)
      }
      #expect(error?.constraint == "t_pkey")
      #expect(error?.isOutcomeUnknown == false)
      try connection.check("SELECT count(*)::int8 FROM t", gives: 1)
    }
  }

  @Test func `data that breaks off, and statements that take none, are told apart`() async throws {
    try await withConnection { connection in
      try Self.table(&connection)
      let cut = #expect(throws: PostgresError.self) {
        try Self.send(Array(Self.data([1, 2]).dropLast(20)), &connection)
      }
      #expect(cut?.sqlState == "22P04")
      let select = #expect(throws: PostgresError.self) {
        try connection.sendCopyIn("SELECT 1")
        try connection.sendCopyData([])
      }
      #expect(select?.kind == .unexpectedResult)
      let missing = #expect(throws: PostgresError.self) {
        try connection.sendCopyIn("COPY nowhere FROM STDIN (FORMAT binary)")
        try connection.sendCopyData([])
      }
      #expect(missing?.sqlState == "42P01")
      try connection.check("SELECT count(*)::int8 FROM t", gives: 0)
    }
  }

  @Test func `a server that does not take the data is given up in time`() async throws {
    try await withConnection { connection in
      try Self.table(&connection)
      try connection.script(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()
        """)
      let error = #expect(throws: PostgresError.self) {
        try connection.sendCopyIn(Self.copy, timeout: .milliseconds(200))
        try connection.sendCopyData(Self.data([1]))
        _ = try connection.receive()
      }
      #expect(error?.kind == .timedOut)
      try connection.check("SELECT count(*)::int8 FROM t", gives: 0)
    }
  }
}
