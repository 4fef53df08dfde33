// Announcements are hints: when one is lost, or nobody listens any more, everything is given within the
// poll interval all the same, to subscriptions and to followers.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .timeLimit(.minutes(2))) struct UnheardBellTests {
  private static let poll = Duration.milliseconds(400)
  /// The interval, and what a busy machine takes to notice.
  private static let limit = Duration.seconds(4)

  @Test(arguments: ["never announced", "the listening connection dropped", "its backend stalled"])
  func `delivery within the poll interval when it is`(loss: String) async throws {
    let database = TestDatabase.current
    let configuration = try database.configuration
    let one = try await Rig.leading(database)
    let two = try Rig(configuration, instance: "two") { $0.pollInterval = Self.poll }
    try await eventually("two follows") { two.head.standing == .following(address: "http://one") }
    var listening = configuration
    listening.applicationName = "bell"
    let bell = LogBell()
    let ringing = Task { [listening] in try await bell.run(listening) }
    var options = SubscriptionOptions()
    options.pollInterval = Self.poll
    let subscription = Subscription(
      name: "a test",
      reader: LogReader(
        pool: try Pool(configuration), keys: PersonKeys(Rig.secret)), bell: bell, after: .empty,
      options: options)
    let given = Mutex(Position.empty)
    let tailing = Task {
      for try await page in subscription { given.withLock { $0 = page.checkpoint } }
    }
    try await eventually("all is given") { given.withLock { $0 } == one.head.state.position }

    var connection = try database.connect()
    for round in 1...5 {
      let listener = try await eventually("it listens") { () -> Int32? in
        let found = try connection.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'bell' AND query ~ 'LISTEN'"
        ).first?.decode(Int32.self, at: 0)
        // One that is left in this moment, after the round before, is not the one.
        guard loss == "its backend stalled", let found else { return found }
        return (try? database.cluster.pause(found)).map { found }
      }
      switch loss {
      case "the listening connection dropped":
        try connection.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bell'")
      default: break
      }
      let start = ContinuousClock.now
      let receipt = try await one.send(PlaceMark(name: Name(known: "unheard-\(round)")))
      try await eventually("the subscription gives it") {
        given.withLock { $0 } >= receipt.position
      }
      try await eventually("the follower has it") { two.head.state.position >= receipt.position }
      #expect(ContinuousClock.now - start < Self.limit)
      // Found out, it may have been left meanwhile.
      if loss == "its backend stalled" { try? database.cluster.resume(listener) }
    }
    ringing.cancel()
    tailing.cancel()
    await two.stop()
    await one.stop()
  }
}
