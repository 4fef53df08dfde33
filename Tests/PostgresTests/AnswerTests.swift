// Working while a statement runs: the wait ends with its answer, or with a wake.

import Postgres
import TestKit
import Testing

@Suite(.database) struct AnswerTests {
  @Test func `a wake ends the wait and leaves the statement under way`() async throws {
    try await withConnection { connection in
      let wake = try WakeDescriptor()
      let gate = try Gate()
      try connection.send("SELECT pg_advisory_lock_shared(4711), 7")
      wake.wake()
      let atTheWake = connection.waitForAnswer(orWake: wake)
      #expect(!atTheWake)
      let isRunning = connection.isStatementRunning
      #expect(isRunning)
      try gate.open()
      let atTheAnswer = connection.waitForAnswer(orWake: wake)
      #expect(atTheAnswer)
      let answer = try connection.receive()
      #expect(try answer[0].decode(Int.self, at: 1) == 7)
      let next = try connection.query("SELECT 8")
      #expect(try next[0].decode(Int.self, at: 0) == 8)
    }
  }

  @Test func `a statement that ran out of time is told by receive`() async throws {
    try await withConnection { connection in
      let wake = try WakeDescriptor()
      try connection.send("SELECT pg_sleep(30)", timeout: .milliseconds(50))
      let isOver = connection.waitForAnswer(orWake: wake)
      #expect(isOver)
      do {
        _ = try connection.receive()
        Issue.record("thirty seconds passed in fifty milliseconds")
      } catch let error as PostgresError {
        #expect(error.kind == .timedOut)
      }
      let isBroken = connection.isBroken
      #expect(!isBroken)
    }
  }
}
