// Announcements are hints: when one is lost, or nobody listens any more, everything is given within the
// poll interval all the same, to subscriptions and to followers.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .timeLimit(.minutes(2))) struct UnheardBellTests {
  enum Loss: String, CaseIterable, Sendable, CustomStringConvertible {
    case neverAnnounced = "never announced"
    case dropped = "the listening connection dropped"
    case stalled = "its backend stalled"

    var description: String { rawValue }
  }

  /// How often each reader looks, bell or not.
  struct Polls: Sendable {
    var subscription = Duration.milliseconds(400)
    var follower = Duration.milliseconds(400)
  }

  private static let never = Duration.seconds(3_600)
  /// The interval, and what a busy machine takes to notice.
  private static let limit = Duration.seconds(4)

  /// How long both readers have to rest before something is appended: one that just looks finds it.
  private static let rest: Query = """
    SELECT bool_and(state = 'idle' AND clock_timestamp() - state_change > interval '100 ms')
    FROM pg_stat_activity WHERE application_name IN ('reader', 'follower')
    """

  /// - Returns: whether it came to be in time.
  private func soon(_ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + Self.limit
    while ContinuousClock.now < deadline {
      if condition() { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  private func faults(_ loss: Loss, _ polls: Polls) async throws -> [Fault] {
    let database = TestDatabase.current
    let configuration = try database.configuration
    let one = try await Rig.leading(database)
    func named(_ name: String) -> PostgresConfiguration {
      var named = configuration
      named.applicationName = name
      return named
    }
    let two = try Rig(named("follower"), instance: "two") { $0.pollInterval = polls.follower }
    try await eventually("two follows") { two.head.standing == .following(address: "http://one") }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let bell = LogBell()
    let ringing = Task { [listening = named("bell")] in try await bell.run(listening) }
    var options = SubscriptionOptions()
    options.pollInterval = polls.subscription
    let subscription = Subscription(
      name: "a test",
      reader: LogReader(
        pool: try Pool(named("reader")), keys: PersonKeys(Rig.secret)), bell: bell, after: .empty,
      options: options, logger: logger)
    let given = Mutex(Position.empty)
    let tailing = Task {
      for try await page in subscription { given.withLock { $0 = page.checkpoint } }
    }
    try await eventually("all is given") { given.withLock { $0 } == one.head.state.position }

    var faults = Faults()
    var connection = try database.connect()
    for round in 1...5 where faults.all.isEmpty {
      let listener = try await eventually("it listens") { () -> Int32? in
        let found = try connection.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'bell' AND query ~ 'LISTEN'"
        ).first?.decode(Int32.self, at: 0)
        // One that is left in this moment, after the round before, is not the one.
        guard loss == .stalled, let found else { return found }
        return (try? database.cluster.pause(found)).map { found }
      }
      if loss == .dropped {
        try connection.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bell'")
      }
      try await eventually("both readers rest") {
        try connection.query(Self.rest)[0].decode(Bool.self, at: 0)
      }
      let position = try await one.send(PlaceMark(name: Name(known: "unheard-\(round)"))).position
      faults.note(
        "the subscription did not give it",
        unless: try await soon { given.withLock { $0 } >= position })
      faults.note(
        "the follower does not have it",
        unless: try await soon { two.head.state.position >= position })
      // Found out, it may have been left meanwhile.
      if loss == .stalled { try? database.cluster.resume(listener) }
    }
    ringing.cancel()
    tailing.cancel()
    await two.stop()
    await one.stop()
    return faults.all
  }

  @Test(arguments: Loss.allCases)
  func `delivery within the poll interval when it is`(loss: Loss) async throws {
    #expect(try await faults(loss, Polls()) == [])
  }

  /// One that connects anew hears the bell when it does: that loss alone would not find them.
  @Test(arguments: [Loss.neverAnnounced, .stalled])
  func `readers that rest on the bell are found out when it is`(loss: Loss) async throws {
    let deaf = try await faults(loss, Polls(subscription: Self.never))
    #expect(deaf == [Fault("the subscription did not give it")])
  }

  @Test(arguments: [Loss.neverAnnounced, .stalled])
  func `followers that rest on announcements are found out when it is`(loss: Loss) async throws {
    let deaf = try await faults(loss, Polls(follower: Self.never))
    #expect(deaf == [Fault("the follower does not have it")])
  }
}
