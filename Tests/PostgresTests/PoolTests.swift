// Lanes, waiting for them, and cancelling what runs on them.

import TestKit
import Testing

@testable import Postgres

@Suite(.database, .bounded) struct PoolTests {
  @Test func `eight lanes run eight statements at once, and hold up none of Swift's own threads`()
    async throws
  {
    let gate = try Gate()
    try await withPool(lanes: 8) { pool in
      let waits = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<8 { group.addTask { _ = try await pool.query(Gate.wait) } }
          try await group.waitForAll()
        }
      }
      try await gate.holds(8)
      // Only what runs on Swift's threads can open it.
      for _ in 0..<1_000 { await Task.yield() }
      #expect(pool.statistics.busy == 8)
      try gate.open()
      try await waits.value
      #expect(pool.statistics.connectedIdle == 8)
    }
  }

  @Test func `a full pool refuses in time and says so`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1, configure: { $0.acquireTimeoutSeconds = 0.2 }) { pool in
      // Who finds the lane connected need not be quick about it.
      try await eventually { (try? await pool.query("SELECT 1")) != nil }
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      // While the lane is busy, and stays so.
      let error = try await postgresError { _ = try await pool.query("SELECT 1") }
      #expect(error.kind == .poolExhausted)
      #expect(error.message == "all 1 lanes stayed busy for 0.2 seconds")
      #expect(pool.statistics.waiting == 0)
      try gate.open()
      _ = try await holder.value
      #expect(try await pool.query("SELECT 1").value() == 1 as Int)
    }
  }

  @Test func `a caller whose time is up already is refused, however soon that is`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1) { pool in
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      for _ in 0..<2_000 {
        let error = try await postgresError { _ = try await pool.acquire(until: .now) }
        #expect(error.kind == .poolExhausted)
      }
      #expect(pool.statistics.waiting == 0)
      holder.cancel()
      _ = await holder.result
    }
  }

  @Test func `more waiters than the limit are refused at once`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1, configure: { $0.maximumWaiters = 1 }) { pool in
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      let waiter = Task { try await pool.query("SELECT 1") }
      try await eventually { pool.statistics.waiting == 1 }
      let error = try await postgresError { _ = try await pool.query("SELECT 1") }
      #expect(error.kind == .poolExhausted)
      try gate.open()
      _ = try await holder.value
      _ = try await waiter.value
    }
  }

  @Test func `a cancelled waiter leaves at once and takes no lane with it`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1) { pool in
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      let waiter = Task { try await pool.query("SELECT 1") }
      try await eventually { pool.statistics.waiting == 1 }
      waiter.cancel()
      let error = try await postgresError { _ = try await waiter.value }
      #expect(error.kind == .cancelled)
      try gate.open()
      _ = try await holder.value
      #expect(try await pool.query("SELECT 1").value() == 1 as Int)
    }
  }

  @Test func `a task that was cancelled before it had to wait does not wait`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1) { pool in
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      let late = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        _ = try await pool.query("SELECT 1")
      }
      #expect(try await postgresError { try await late.value }.kind == .cancelled)
      #expect(pool.statistics.busy == 1)
      try gate.open()
      _ = try await holder.value
    }
  }

  @Test func `a cancelled task ends its statement, which would not end by itself`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1) { pool in
      let pid = try await pool.withConnection { $0.backendProcessID }
      let sleeper = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      sleeper.cancel()
      let error = try await postgresError { _ = try await sleeper.value }
      #expect(error.kind == .cancelled)
      try await gate.holds(0)
      #expect(try await pool.withConnection { $0.backendProcessID } == pid)
    }
  }

  @Test func `racing cancels never hit the next statement`() async throws {
    try await withPool(lanes: 2) { pool in
      let pids = try await pool.withConnection { $0.backendProcessID }
      for round in 0..<200 {
        let victim = Task {
          try await pool.withConnection { connection in
            _ = try connection.query("SELECT pg_sleep(\(Double(round % 4) * 0.0005))")
          }
        }
        let delay = Task { try await Task.sleep(for: .microseconds(round * 17 % 3_000)) }
        try await delay.value
        victim.cancel()
        let outcome = await victim.result
        if case .failure(let error) = outcome {
          #expect((error as? PostgresError)?.kind == .cancelled)
        }
        #expect(try await pool.query("SELECT \(round) FROM pg_sleep(0.001)").value() == round)
      }
      // The connections have lived through all of it.
      #expect(try await pool.withConnection { $0.backendProcessID } == pids)
    }
  }

  @Test func `cancelling in a transaction rolls it back`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1) { pool in
      try await pool.execute("CREATE TABLE t (n int8)")
      let writer = Task {
        try await pool.transaction { connection in
          try connection.execute("INSERT INTO t VALUES (1)")
          try connection.execute(Gate.wait)
        }
      }
      try await gate.holds(1)
      writer.cancel()
      #expect(try await postgresError { try await writer.value }.kind == .cancelled)
      #expect(try await pool.query("SELECT count(*) FROM t").value() == 0 as Int)
    }
  }

  @Test func `a transaction left open is not passed on to the next caller`() async throws {
    try await withPool(lanes: 1) { pool in
      try await pool.withConnection { connection in
        try connection.script("BEGIN")
        try connection.send("SELECT pg_sleep(30)")
      }
      let status = try await pool.withConnection { connection in
        (connection.transactionStatus, connection.isStatementRunning)
      }
      #expect(status == (.idle, false))
    }
  }

  @Test func `a terminated backend is an error once, then another serves`() async throws {
    try await withPool(lanes: 1) { pool in
      let pid = try await pool.withConnection { $0.backendProcessID }
      let error = try await postgresError {
        _ = try await pool.execute("SELECT pg_terminate_backend(pg_backend_pid())")
      }
      #expect(error.kind == .connectionLost)
      #expect(error.sqlState == "57P01")
      #expect(try await pool.withConnection { $0.backendProcessID } != pid)
    }
  }

  @Test func `a backend that dies while idle is not noticed by the next caller`() async throws {
    try await withPool(lanes: 1) { pool in
      let pid = try await pool.withConnection { $0.backendProcessID }
      try await withConnection { connection in
        try connection.execute("SELECT pg_terminate_backend(\(pid), 300000)")
      }
      #expect(try await pool.query("SELECT 1").value() == 1 as Int)
    }
  }

  @Test func `without a server the reason comes in bounded time, also to those who wait`()
    async throws
  {
    var nowhere = try TestDatabase.current.configuration
    let folder = try TestFolder()
    nowhere.host = folder.path("none")
    try await withPool(
      lanes: 1, configuration: nowhere, configure: { $0.acquireTimeoutSeconds = 0.3 }
    ) { pool in
      let watch = Stopwatch()
      let errors = await withTaskGroup(of: PostgresError?.self) { group in
        for _ in 0..<4 {
          group.addTask {
            do {
              _ = try await pool.query("SELECT 1")
              return nil
            } catch {
              return error as? PostgresError
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(errors.allSatisfy { $0?.kind == .connectionFailed })
      #expect(watch.seconds < 2)
    }
  }

  @Test func `a closed pool refuses, and what waited is told`() async throws {
    let gate = try Gate()
    try await withPool(lanes: 1, configure: { $0.closeGraceSeconds = 0.1 }) { pool in
      let holder = Task { try await pool.query(Gate.wait) }
      try await gate.holds(1)
      let waiter = Task { try await pool.query("SELECT 1") }
      try await eventually { pool.statistics.waiting == 1 }
      // What it waits for would not end by itself.
      await pool.close()
      #expect(try await postgresError { _ = try await waiter.value }.kind == .poolClosed)
      #expect(try await postgresError { _ = try await holder.value }.kind == .cancelled)
      #expect(try await postgresError { _ = try await pool.query("SELECT 1") }.kind == .poolClosed)
    }
  }

  @Test func `callers beyond the lanes are served in order and all of them`() async throws {
    try await withPool(lanes: 3) { pool in
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<500 {
          group.addTask { try await pool.query("SELECT \(number)")[0].decode(Int.self, at: 0) }
        }
        return try await group.reduce(0, +)
      }
      #expect(sum == 499 * 250)
      #expect(pool.statistics == .init(lanes: 3, busy: 0, connectedIdle: 3, waiting: 0))
    }
  }
}
