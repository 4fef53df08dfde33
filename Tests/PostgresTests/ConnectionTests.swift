// One connection: errors, scripts, streams, timeouts.

import Glibc
import Postgres
import TestKit
import Testing

@Suite(.database, .bounded) struct ConnectionTests {
  /// One that soon gives up on a server that ends no statement.
  private func withImpatientConnection(
    _ body: @Sendable (inout Connection) throws -> Void
  ) async throws {
    try await blocking {
      var configuration = try TestDatabase.current.configuration
      configuration.cancelGrace = .milliseconds(500)
      var connection = try Connection(configuration)
      try body(&connection)
    }
  }

  @Test func `it knows its server`() async throws {
    try await withConnection { connection in
      #expect(connection.serverVersion >= 150_000)
      try connection.check("SELECT pg_backend_pid()", gives: connection.backendProcessID)
      try connection.check("SHOW client_encoding", gives: "UTF8")
      try connection.check("SHOW application_name", gives: "wharf")
      #expect(connection.transactionStatus == .idle)
    }
  }

  @Test func `a violated constraint is told by SQLSTATE and name, without the row`() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.script("CREATE TABLE keys (id text CONSTRAINT keys_once PRIMARY KEY)")
        for _ in 0..<2 { try connection.execute("INSERT INTO keys VALUES (\("hunter2"))") }
      }
    }
    #expect(error.kind == .server)
    #expect(error.sqlState == "23505")
    #expect(error.isUniqueViolation)
    #expect(error.constraint == "keys_once")
    #expect(!error.isOutcomeUnknown)
    #expect(
      error.description
        == "INSERT INTO keys VALUES ($1): PostgreSQL refused: duplicate key value violates unique "
        + "constraint \"keys_once\" [SQLSTATE 23505] (constraint keys_once)")
  }

  @Test func `a value that the server could not read is withheld`() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        _ = try connection.query("SELECT \("hunter2")::int8")
      }
    }
    #expect(error.sqlState == "22P02")
    #expect(error.message == "invalid input syntax for type bigint (value withheld)")
  }

  @Test func `after an error the connection goes on`() async throws {
    try await withConnection { connection in
      #expect(throws: PostgresError.self) { try connection.execute("SELEC") }
      #expect(throws: PostgresError.self) {
        try connection.script("SELECT 1; SELECT 1/0; SELECT 2")
      }
      try connection.check("SELECT \(1)", gives: 1)
    }
  }

  @Test func `affected rows are counted`() async throws {
    try await withConnection { connection in
      try connection.script("CREATE TABLE t (n int8)")
      #expect(try connection.execute("INSERT INTO t SELECT generate_series(1, \(10))") == 10)
      #expect(try connection.execute("DELETE FROM t WHERE n > \(7)") == 3)
      #expect(try connection.execute("CREATE TABLE u ()") == 0)
    }
  }

  @Test func `work can be done while a statement runs`() async throws {
    try await withConnection { connection in
      try connection.send("SELECT \(42)")
      #expect(connection.isStatementRunning == true)
      let answer = try connection.receive().value() as Int
      #expect(answer == 42)
      #expect(connection.isStatementRunning == false)
    }
  }

  @Test func `rows arrive one by one`() async throws {
    try await withConnection { connection in
      var sum = 0
      try connection.forEachRow("SELECT generate_series(1, \(Int32(1_000))), 'x'") { row in
        sum += Int(try row.decode(Int32.self, at: 0))
      }
      #expect(sum == 500_500)
    }
  }

  @Test func `an error after some rows is told, and the connection goes on`() async throws {
    try await withConnection { connection in
      var seen = 0
      let error = #expect(throws: PostgresError.self) {
        try connection.forEachRow("SELECT 1 / (n - 500) FROM generate_series(1, 1000) n") { _ in
          seen += 1
        }
      }
      #expect(error?.sqlState == "22012")
      #expect(seen > 0)
      try connection.check("SELECT 1", gives: 1)
    }
  }

  @Test func `a reader that throws ends the statement, not the connection`() async throws {
    struct Enough: Error {}
    try await withConnection { connection in
      for _ in 0..<3 {
        #expect(throws: Enough.self) {
          try connection.forEachRow("SELECT generate_series(1, 100000000)") { _ in throw Enough() }
        }
        #expect(throws: Enough.self) {
          try connection.copyOut("COPY (SELECT generate_series(1, 100000000)) TO STDOUT") { _ in
            throw Enough()
          }
        }
      }
      #expect(connection.isBroken == false)
      try connection.check("SELECT 1", gives: 1)
    }
  }

  @Test func `COPY hands over typed rows`() async throws {
    try await withConnection { connection in
      try connection.script(
        """
        CREATE TABLE t (n int8, body json, note text);
        INSERT INTO t SELECT n, '{"a": 1}', CASE WHEN n % 2 = 0 THEN 'even' END
        FROM generate_series(1, 1000) n
        """)
      var seen = 0
      var sum = 0
      var notes = 0
      try connection.copyOutRows("COPY t TO STDOUT (FORMAT binary)") { row in
        #expect(row.columnCount == 3)
        seen += 1
        sum += try row.next(Int.self)
        #expect(try row.next(String.self) == "{\"a\": 1}")
        if try row.next(String?.self) != nil { notes += 1 }
      }
      #expect(seen == 1_000)
      #expect(sum == 500_500)
      #expect(notes == 500)
      try connection.copyOutRows("COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)") { _ in
        Issue.record("there is no row")
      }
    }
  }

  @Test func `COPY in another format is refused by the reader of rows`() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.copyOutRows("COPY (SELECT 1) TO STDOUT") { _ in }
      }
    }
    #expect(error.kind == .decoding)
  }

  @Test func `statements of another kind than the call's are told apart`() async throws {
    try await withConnection { connection in
      #expect(throws: PostgresError.self) { try connection.copyOut("SELECT 1") { _ in } }
      try connection.check("SELECT 1", gives: 1)
      let error = #expect(throws: PostgresError.self) {
        try connection.script("CREATE TABLE t (n int8); COPY t FROM STDIN")
      }
      #expect(error?.kind == .unexpectedResult)
      #expect(connection.isBroken == true)
    }
  }

  @Test func `a slow statement times out, and the connection goes on`() async throws {
    try await withConnection { connection in
      let error = #expect(throws: PostgresError.self) {
        try connection.query("SELECT pg_sleep(7200)", timeout: .milliseconds(200))
      }
      #expect(error?.kind == .timedOut)
      #expect(error?.isOutcomeUnknown == false)
      try connection.check("SELECT 1", gives: 1)
    }
  }

  @Test func `a result that never pauses times out as well`() async throws {
    try await withConnection { connection in
      let error = #expect(throws: PostgresError.self) {
        try connection.query(
          "SELECT repeat('x', 1000) FROM generate_series(1, 300000)", timeout: .milliseconds(50))
      }
      #expect(error?.kind == .timedOut)
    }
  }

  @Test func `a stream of rows may take longer than its timeout, which bounds the pauses`()
    async throws
  {
    try await withConnection { connection in
      var seen = 0
      let timeout = Pace.stretched(1)
      let rows = Int(timeout / .milliseconds(50) * 1.5)
      try connection.forEachRow(
        "SELECT pg_sleep(0.05), repeat('x', 100000) FROM generate_series(1, \(rows))",
        timeout: timeout
      ) { _ in seen += 1 }
      #expect(seen == rows)
      #expect(throws: PostgresError.self) {
        try connection.forEachRow("SELECT pg_sleep(30)", timeout: .milliseconds(50)) { _ in }
      }
    }
  }

  @Test func `a stalled backend gives an error in bounded time, and a broken connection`()
    async throws
  {
    let cluster = TestDatabase.current.cluster
    try await withImpatientConnection { connection in
      let pid = connection.backendProcessID
      try cluster.pause(pid)
      defer { try? cluster.resume(pid) }
      // Stalled until the end of the test.
      let error = #expect(throws: PostgresError.self) {
        try connection.query("SELECT 1", timeout: .milliseconds(300))
      }
      #expect(error?.kind == .timedOut)
      #expect(error?.isOutcomeUnknown == true)
      #expect(connection.isBroken == true)
      let next = #expect(throws: PostgresError.self) { try connection.query("SELECT 1") }
      #expect(next?.kind == .connectionLost)
      #expect(next?.message.contains("given up") == true)
    }
  }

  @Test func `a stalled backend that no longer takes our bytes is given up too`() async throws {
    let cluster = TestDatabase.current.cluster
    try await withImpatientConnection { connection in
      let pid = connection.backendProcessID
      try cluster.pause(pid)
      defer { try? cluster.resume(pid) }
      let text = String(repeating: "x", count: 20_000_000)
      let error = #expect(throws: PostgresError.self) {
        try connection.query("SELECT length(\(text))", timeout: .milliseconds(300))
      }
      #expect(error?.kind == .timedOut)
      #expect(error?.isOutcomeUnknown == false, "the server cannot run half a statement")
      #expect(connection.isBroken == true)
    }
  }

  @Test func `a terminated backend is a lost connection`() async throws {
    try await withConnection { connection in
      var other = try TestDatabase.current.connect()
      try other.execute("SELECT pg_terminate_backend(\(connection.backendProcessID), 300000)")
      let error = #expect(throws: PostgresError.self) { try connection.query("SELECT 1") }
      #expect(error?.kind == .connectionLost)
      #expect(connection.isBroken == true)
    }
  }

  @Test func `an idle connection learns that it is dead without asking`() async throws {
    try await withConnection { connection in
      #expect(connection.isUsable() == true)
      var other = try TestDatabase.current.connect()
      try other.execute("SELECT pg_terminate_backend(\(connection.backendProcessID), 300000)")
      #expect(connection.isUsable() == false)
      #expect(connection.isBroken == true)
    }
  }

  @Test func `where nobody listens, connecting fails at once and says where`() async throws {
    let error = try await postgresError {
      try await blocking {
        _ = try Connection(PostgresConfiguration("postgres://u:hunter2@127.0.0.1:1/db"))
      }
    }
    #expect(error.kind == .connectionFailed)
    #expect(error.description.contains("connect to host 127.0.0.1, port 1, database db, user u"))
    #expect(!error.description.contains("hunter2"))
  }

  @Test func `a server that takes the connection but stays silent is given up in time`()
    async throws
  {
    let silent = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(silent) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      #expect(bind(silent, pointer, length) == 0)
      #expect(getsockname(silent, pointer, &length) == 0)
    }
    #expect(listen(silent, 1) == 0)
    let port = Int(UInt16(bigEndian: address.sin_port))
    // Silent until the end of the test.
    let error = try await postgresError {
      try await blocking {
        _ = try Connection(
          PostgresConfiguration("host=127.0.0.1 port=\(port)"), timeout: .milliseconds(200))
      }
    }
    #expect(error.kind == .connectionFailed)
  }
}
