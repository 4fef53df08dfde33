// LISTEN and NOTIFY, through losses.

import Glibc
import TestKit
import Testing

@testable import Postgres

@Suite(.database, .bounded) struct ListenTests {
  private func notify(_ payload: String) async throws {
    try await withConnection { connection in
      try connection.execute("SELECT pg_notify('events', \(payload))")
    }
  }

  @Test func `announcements arrive, after the word that it listens`() async throws {
    var events = try listen(TestDatabase.current.configuration, channel: "events")
      .makeAsyncIterator()
    #expect(await events.next() == .listening)
    try await notify("one")
    #expect(await events.next() == .notified(payload: "one"))
    try await notify("two")
    #expect(await events.next() == .notified(payload: "two"))
  }

  @Test func `what the reader did not fetch in time becomes one, and never none`() async throws {
    var events = try listen(TestDatabase.current.configuration, channel: "events")
      .makeAsyncIterator()
    #expect(await events.next() == .listening)
    for number in 1...100 { try await notify("\(number)") }
    var last = ""
    var fetched = 0
    while last != "100", case .notified(let payload) = await events.next() {
      last = payload
      fetched += 1
    }
    #expect(fetched <= 100)
  }

  @Test func `a lost connection is told when it listens again`() async throws {
    var events = try listen(TestDatabase.current.configuration, channel: "events")
      .makeAsyncIterator()
    #expect(await events.next() == .listening)
    try await withConnection { connection in
      let ended = try connection.query(
        """
        SELECT pg_terminate_backend(pid, 300000) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'
        """)
      #expect(ended.count == 1)
    }
    guard case .reconnected(let reason) = await events.next() else {
      Issue.record("it should have reconnected")
      return
    }
    #expect(reason.kind == .connectionLost)
    try await notify("again")
    #expect(await events.next() == .notified(payload: "again"))
  }

  @Test func `a stalled server is found out by asking, and left`() async throws {
    let database = TestDatabase.current
    var options = ListenOptions()
    options.probeSeconds = 1
    options.probeTimeoutSeconds = 1
    var events = try listen(
      database.configuration, channel: "events", options: options
    ).makeAsyncIterator()
    #expect(await events.next() == .listening)
    let pid = try #require(try await database.cluster.backendPIDs(database: database.name).first)
    try database.cluster.pause(pid)
    let event = await events.next()
    try database.cluster.resume(pid)
    guard case .reconnected(let reason) = event else {
      Issue.record("it should have reconnected")
      return
    }
    #expect(reason.kind == .timedOut)
  }

  @Test func `a cancelled reader gets its end`() async throws {
    let notifications = try listen(TestDatabase.current.configuration, channel: "events")
    let reader = Task {
      var seen = 0
      for await _ in notifications { seen += 1 }
      return seen
    }
    var connection = try TestDatabase.current.connect()
    try await eventually {
      try connection.query(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'
        """
      ).value() == 1
    }
    reader.cancel()
    #expect(await reader.value <= 1)
  }

  @Test func `a wake ends the wait for notifications, with none`() async throws {
    try await withConnection { connection in
      try connection.listen(to: "events")
      let wake = try WakeDescriptor()
      wake.wake()
      // Without the wake it would go on after the test was ended.
      #expect(try connection.waitForNotifications(timeout: .seconds(7_200), wake: wake).isEmpty)
      #expect(try connection.waitForNotifications(timeout: .milliseconds(20), wake: wake).isEmpty)
      try connection.execute("NOTIFY events, 'self'")
      let arrived = try connection.waitForNotifications(timeout: .seconds(300))
      #expect(arrived.map(\.payload) == ["self"])
      #expect(arrived.first?.backendProcessID == connection.backendProcessID)
    }
  }
}

@Suite struct ListenMailboxTests {
  private let loss = PostgresError(.connectionLost, "gone", attempted: "wait")

  @Test func `reconnecting says all that an announcement before it said`() async {
    let mailbox = ListenMailbox()
    mailbox.post(.listening)
    #expect(await mailbox.next() == .listening)
    mailbox.post(.notified(payload: "a"))
    mailbox.post(.reconnected(after: loss))
    #expect(await mailbox.next() == .reconnected(after: loss))
    let rest = Task { await mailbox.next() }
    rest.cancel()
    #expect(await rest.value == nil)
  }

  @Test func `announcements that were not fetched become the last one`() async {
    let mailbox = ListenMailbox()
    mailbox.post(.notified(payload: "a"))
    mailbox.post(.notified(payload: "b"))
    #expect(await mailbox.next() == .notified(payload: "b"))
  }

  @Test func `a reader that never saw it listen hears of that, not of coming back`() async {
    let mailbox = ListenMailbox()
    mailbox.post(.listening)
    mailbox.post(.reconnected(after: loss))
    mailbox.post(.notified(payload: "a"))
    #expect(await mailbox.next() == .listening)
    #expect(await mailbox.next() == .notified(payload: "a"))
  }
}
