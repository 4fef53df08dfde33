// All or nothing, and being told which.

import Postgres
import TestKit
import Testing

@Suite(.database, .bounded) struct TransactionTests {
  private struct Changed: Error {}

  private func prepare(_ connection: inout Connection) throws {
    try connection.script("CREATE TABLE t (n int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)")
  }

  private let countRows: Query = "SELECT count(*) FROM t"

  @Test func `what returns is committed`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      let answer = try connection.transaction { connection in
        try connection.execute("INSERT INTO t VALUES (1)")
        #expect(connection.transactionStatus == .inTransaction)
        return 42
      }
      #expect(answer == 42)
      var other = try TestDatabase.current.connect()
      try other.check(countRows, gives: 1)
    }
  }

  @Test func `what throws is rolled back, and the error passes through`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      #expect(throws: Changed.self) {
        try connection.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1)")
          throw Changed()
        }
      }
      #expect(connection.transactionStatus == .idle)
      try connection.check(countRows, gives: 0)
    }
  }

  @Test func `an error at commit is the server's, and nothing is left`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      let error = #expect(throws: PostgresError.self) {
        try connection.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1), (1)")
        }
      }
      #expect(error?.sqlState == "23505")
      #expect(error?.attempted == "COMMIT")
      #expect(error?.isOutcomeUnknown == false)
      try connection.check(countRows, gives: 0)
    }
  }

  @Test func `a statement alone also reports an error that comes at its commit`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      let error = #expect(throws: PostgresError.self) {
        try connection.execute("INSERT INTO t VALUES (1), (1)")
      }
      #expect(error?.sqlState == "23505")
      try connection.check(countRows, gives: 0)
    }
  }

  @Test func `a swallowed error does not pass for a commit`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      let error = #expect(throws: PostgresError.self) {
        try connection.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1)")
          _ = try? connection.execute("SELECT 1 / 0")
        }
      }
      #expect(error?.kind == .transactionAborted)
      #expect(connection.transactionStatus == .idle)
      try connection.check(countRows, gives: 0)
    }
  }

  @Test func `a read-only transaction refuses to write, on the asked-for level`() async throws {
    try await withConnection { connection in
      try prepare(&connection)
      let error = #expect(throws: PostgresError.self) {
        try connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
          try connection.check("SHOW transaction_isolation", gives: "repeatable read")
          try connection.execute("INSERT INTO t VALUES (1)")
        }
      }
      #expect(error?.sqlState == "25006")
    }
  }

  @Test func `a connection lost within is rolled back for sure, one lost in COMMIT is unknown`()
    async throws
  {
    try await withConnection { connection in
      try prepare(&connection)
      var other = try TestDatabase.current.connect()
      let pid = connection.backendProcessID
      let within = #expect(throws: PostgresError.self) {
        try connection.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1)")
          try other.execute("SELECT pg_terminate_backend(\(pid), 300000)")
          try connection.execute("INSERT INTO t VALUES (2)")
        }
      }
      #expect(within?.kind == .connectionLost)
      #expect(within?.isOutcomeUnknown == false)
      try other.check(countRows, gives: 0)
    }
  }

  @Test func `a backend that stalls in COMMIT leaves the outcome unknown, and says so`()
    async throws
  {
    try await blocking {
      var configuration = try TestDatabase.current.configuration
      configuration.statementTimeout = Pace.stretched(0.5)
      var connection = try Connection(configuration)
      try prepare(&connection)
      let pid = connection.backendProcessID
      let cluster = TestDatabase.current.cluster
      defer { try? cluster.resume(pid) }
      let error = #expect(throws: PostgresError.self) {
        try connection.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1)")
          try cluster.pause(pid)
        }
      }
      #expect(error?.kind == .outcomeUnknown)
      #expect(error?.isOutcomeUnknown == true)
      #expect(connection.isBroken == true)
    }
  }
}
