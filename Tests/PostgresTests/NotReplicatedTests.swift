// A server that was told to wait for a standby commits here first, and says with no more than a warning
// that it stopped waiting. Whoever committed is told, in whatever way it was done.

import Foundation
import Glibc
import TestKit
import Testing

@testable import Postgres

@Suite(.bounded) struct NotReplicatedTests {
  private enum Ending: CaseIterable { case timeout, cancelled, terminated }

  /// Runs a commit that waits for a standby which is not there, until the wait is ended.
  private func error(
    _ ending: Ending, _ cluster: TestCluster, _ database: TestDatabase,
    _ commit: @escaping @Sendable (inout Connection) throws -> Void
  ) async throws -> PostgresError? {
    let waiting = Task.detached { () throws -> PostgresError? in
      var configuration = try database.configuration
      configuration.applicationName = "waits"
      if case .timeout = ending { configuration.statementTimeout = Pace.stretched(0.5) }
      var connection = try Connection(configuration)
      do { try commit(&connection) } catch let error as PostgresError { return error }
      return nil
    }
    switch ending {
    case .timeout: break
    case .cancelled, .terminated:
      let way = ending == .cancelled ? "pg_cancel_backend" : "pg_terminate_backend"
      try await eventually("the commit waits and is ended") {
        var connection = try database.connect()
        return try connection.query(
          Query(
            """
            SELECT \(way)(pid) FROM pg_stat_activity
            WHERE application_name = 'waits' AND wait_event = 'SyncRep'
            """, [])
        ).count > 0
      }
    }
    return try await waiting.value
  }

  @Test func `a commit that was not waited for to the end is not known to be kept`() async throws {
    let cluster = try await TestCluster.dedicated()
    let database = try await cluster.makeDatabase()
    var connection = try database.connect()
    try connection.script("CREATE TABLE kept (number int PRIMARY KEY)")
    try await cluster.waitForStandby("nobody")
    try await eventually("commits wait") {
      try connection.query("SHOW synchronous_standby_names")[0].decode(String.self, at: 0)
        == "nobody"
    }
    let ways: [@Sendable (inout Connection, Int) throws -> Void] = [
      { try $0.execute("INSERT INTO kept VALUES (\(Int32($1)))") },
      { try $0.script("INSERT INTO kept VALUES (\($1))") },
      { connection, number in
        var copied = CopyRowWriter(expectedBytes: 64)
        copied.row(fields: 1)
        copied.field(Int32(number))
        copied.end()
        try connection.sendCopyIn("COPY kept FROM STDIN (FORMAT binary)")
        try connection.sendCopyData(copied.bytes)
        _ = try connection.receive()
      },
    ]
    var number = 0
    for ending in Ending.allCases {
      for way in ways {
        number += 1
        let mine = number
        let error = try #require(
          try await error(ending, cluster, database) { try way(&$0, mine) },
          "\(ending), way \(mine)")
        #expect(
          error.kind == (ending == .terminated ? .connectionLost : .notReplicated), "\(error)")
        #expect(error.isOutcomeUnknown && error.isServerAway)
      }
    }
    // A transaction is not cancelled by us; by others it is.
    number += 1
    let last = number
    let error = try await error(.cancelled, cluster, database) { connection in
      _ = try connection.transaction { try $0.execute("INSERT INTO kept VALUES (\(Int32(last)))") }
    }
    #expect(error?.kind == .notReplicated, "\(error as Any)")
    // All of it stands here.
    let count = try connection.query("SELECT count(*) FROM kept")[0].decode(Int64.self, at: 0)
    #expect(count == Int64(number))
    try await cluster.waitForStandby(nil)
    // The next commit is quiet, also on a connection that has heard the warning.
    try connection.execute("INSERT INTO kept VALUES (\(Int32(number + 1)))")
    await cluster.remove()
  }
}
