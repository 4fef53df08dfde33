// A server killed and started again, on a cluster that is theirs alone.

import Postgres
import TestKit
import Testing

@Suite(.turn, .bounded) struct OutageTests {
  @Test func `a killed server gives errors, and is used again once it is back`() async throws {
    let cluster = try await TestCluster.dedicated()
    let configuration = try cluster.configuration(database: "postgres")
    try await withPool(
      lanes: 2, configuration: configuration, configure: { $0.acquireTimeoutSeconds = 5 }
    ) { pool in
      try await pool.execute("CREATE TABLE t (n int8)")
      try await pool.execute("INSERT INTO t VALUES (1)")
      var events = try listen(configuration, channel: "events").makeAsyncIterator()
      #expect(await events.next() == .listening)

      await cluster.killPostmaster()
      try await eventually {
        do {
          _ = try await pool.query("SELECT 1")
          return false
        } catch let error as PostgresError {
          return error.kind == .connectionFailed
        }
      }
      try await cluster.start()

      #expect(try await pool.query("SELECT n FROM t").value() == 1 as Int)
      guard case .reconnected = await events.next() else {
        Issue.record("the listener should have come back")
        return
      }
    }
    await cluster.remove()
  }

  @Test func `a caller waits through a short restart`() async throws {
    let cluster = try await TestCluster.dedicated()
    let configuration = try cluster.configuration(database: "postgres")
    try await withPool(
      lanes: 1, configuration: configuration, configure: { $0.acquireTimeoutSeconds = 600 }
    ) { pool in
      try await pool.execute("SELECT 1")
      try await cluster.stop(.immediate)
      async let answer = pool.query("SELECT 1")
      try await eventually { pool.statistics.busy == 1 }
      try await cluster.start()
      #expect(try await answer.value() == 1 as Int)
    }
    await cluster.remove()
  }

  @Test func `a server that takes no cancel requests does not hold up the lane`() async throws {
    let cluster = try await TestCluster.dedicated()
    var configuration = try cluster.configuration(database: "postgres")
    configuration.cancelGrace = .milliseconds(300)
    let postmaster = try #require(await cluster.postmasterPID)
    try await withPool(lanes: 1, configuration: configuration) { pool in
      try await pool.execute("SELECT 1")
      try cluster.pause(postmaster)
      // It would end long after the test is ended.
      let sleeper = Task { try await pool.query("SELECT pg_sleep(7200)") }
      try await eventually { pool.statistics.busy == 1 }
      sleeper.cancel()
      #expect(try await postgresError { _ = try await sleeper.value }.kind == .cancelled)
      try cluster.resume(postmaster)
      #expect(try await pool.query("SELECT 1").value() == 1)
    }
    await cluster.remove()
  }
}
