// What others may do in a database, or beside it, for as long as they like.

import Glibc
import Hosting
import Postgres
import TestKit

@testable import EventLog

enum Disturbance: String, CaseIterable, Sendable {
  case idleTransaction, idleTransactionElsewhere, preparedTransaction, stuckListener, dump
}

/// A disturbance that goes on until it is ended.
final class Disturbing {
  private let disturbance: Disturbance
  private let cluster: TestCluster
  private var connection: Connection
  private var dump: Child?
  /// Holds a table that a dump comes to last.
  private var gate: Connection?

  init(_ disturbance: Disturbance, _ database: TestDatabase) async throws {
    self.disturbance = disturbance
    cluster = database.cluster
    let name = disturbance == .idleTransactionElsewhere ? "postgres" : database.name
    connection = try Connection(cluster.configuration(database: name))
    switch disturbance {
    case .idleTransaction:
      try connection.script(
        """
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        SELECT pg_current_xact_id(); SELECT count(*) FROM log.events;
        """)
    case .idleTransactionElsewhere:
      try connection.script("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT pg_current_xact_id()")
    case .preparedTransaction:
      try connection.script(
        """
        BEGIN; SELECT count(*) FROM log.events; CREATE TABLE prepared (n int);
        PREPARE TRANSACTION 'forgotten'
        """)
    case .stuckListener:
      // Listens, and reads nothing any more: what is announced piles up.
      try connection.listen(to: LogStatements.channel)
      try cluster.pause(connection.backendProcessID)
    case .dump:
      // It takes its locks in the order in which tables were made, and waits for the last: so it stands in
      // its middle for as long as it takes, whoever is faster.
      var gate = try Connection(cluster.configuration(database: name))
      try gate.script("CREATE TABLE gate (n int)")
      try gate.script("BEGIN; LOCK TABLE gate IN ACCESS EXCLUSIVE MODE")
      self.gate = consume gate
      let folder = try TestFolder()
      dump = try Child(
        ["pg_dump", "-d", database.url, "-f", folder.path("dump.sql")],
        environment: folder.environment(), folder: folder)
      try await eventually("pg_dump has its snapshot and its locks") {
        try connection.query(
          """
          SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE application_name = 'pg_dump' AND relation = 'log.events'::regclass AND granted
          """
        ).count > 0
      }
    }
  }

  /// Afterwards nothing of it is left in the database.
  func end() async throws {
    switch disturbance {
    case .idleTransaction, .idleTransactionElsewhere: try connection.script("ROLLBACK")
    case .preparedTransaction: try connection.script("ROLLBACK PREPARED 'forgotten'")
    case .stuckListener: try cluster.resume(connection.backendProcessID)
    case .dump:
      dump?.send(SIGKILL)
      try gate?.script("ROLLBACK; DROP TABLE gate")
      // Its server process finds out by itself, and holds its locks until then.
      try await eventually("nothing of pg_dump is left") {
        try connection.query(
          "SELECT FROM pg_stat_activity WHERE application_name = 'pg_dump'"
        ).isEmpty
      }
    }
  }
}
