// A reader that subscribes: everything that matches, once, in order, from any position on, whether it
// is told of news or not.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct SubscriptionTests {
  private func subscription(
    _ reader: LogReader, bell: LogBell = LogBell(), filter: EventFilter = .all,
    after start: Position = .empty, adjust: (inout SubscriptionOptions) -> Void = { _ in }
  ) -> Subscription {
    var options = SubscriptionOptions()
    options.pollInterval = .milliseconds(50)
    adjust(&options)
    return Subscription(
      name: "a test", reader: reader, bell: bell, filter: filter, after: start, options: options)
  }

  private func reader() throws -> LogReader {
    LogReader(pool: try Pool(TestDatabase.current.configuration), keys: PersonKeys(Rig.secret))
  }

  /// Registers providers and places marks from many tasks at once.
  private func load(
    _ rig: Rig, clients: Int = 8, each: Int = 25, prefix: String = "n"
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<clients {
        group.addTask {
          for step in 0..<each {
            let name = Name(known: "\(prefix)-\(client)-\(step)")
            try await rig.send(
              step % 5 == 0 ? RegisterProvider(name: name) : PlaceMark(name: name),
              by: .tester(client))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `catch-up and live have no seam: what it gives is the table`() async throws {
    let rig = try await Rig.leading(TestDatabase.current)
    try await load(rig)
    let given = Mutex<[StoredEvent]>([])
    let reader = try reader()
    let follower = Task {
      for try await page in subscription(reader, adjust: { $0.pageEvents = 7 }) {
        given.withLock { $0 += page.events }
      }
    }
    try await load(rig, prefix: "later")
    try await eventually("all is given") {
      given.withLock { $0.last?.position } == rig.head.state.position
    }
    follower.cancel()
    let table = try rig.verified()
    #expect(given.withLock { $0.map(\.position) } == table.map(\.position))
    #expect(given.withLock { $0.map(\.hash) } == table.map(\.hash))
    await rig.stop()
  }

  @Test func `a filter gives what matches, and the checkpoint moves on without matches`()
    async throws
  {
    let rig = try await Rig.leading(TestDatabase.current)
    try await load(rig)
    let reader = try reader()
    let table = try rig.verified()
    for filter in [
      EventFilter(types: ["providerRegistered"]), EventFilter(kinds: [.provider]),
      EventFilter(kinds: [.log], types: ["markPlaced", "providerRegistered"]),
      EventFilter(stream: table[table.count / 2].stream), EventFilter(types: ["modelOnboarded"]),
    ] {
      var given: [StoredEvent] = []
      var checkpoints: [Position] = []
      let pages = subscription(reader, filter: filter) {
        $0.pageEvents = 3
        $0.windowEvents = 10
      }
      for try await page in pages {
        given += page.events
        checkpoints.append(page.checkpoint)
        if page.checkpoint == rig.head.state.position { break }
      }
      #expect(given.map(\.position) == table.filter(filter.matches).map(\.position))
      #expect(zip(checkpoints, checkpoints.dropFirst()).allSatisfy { $0 < $1 })
    }
    await rig.stop()
  }

  @Test func `stopped anywhere and resumed from its checkpoint, nothing is lost or given twice`()
    async throws
  {
    let rig = try await Rig.leading(TestDatabase.current)
    try await load(rig)
    let reader = try reader()
    let filter = EventFilter(types: ["markPlaced"])
    var given: [Position] = []
    var checkpoint = Position.empty
    var random = SplitMix64(seed: 7)
    while checkpoint < rig.head.state.position {
      var left = Int.random(in: 1...3, using: &random)
      let size = Int.random(in: 1...9, using: &random)
      for try await page in subscription(
        reader, filter: filter, after: checkpoint, adjust: { $0.pageEvents = size })
      {
        given += page.events.map(\.position)
        checkpoint = page.checkpoint
        left -= 1
        if left == 0 || checkpoint == rig.head.state.position { break }
      }
    }
    #expect(given == (try rig.verified().filter(filter.matches).map(\.position)))
    await rig.stop()
  }

  @Test func `woken by the bell long before it would look, also after its connection was killed`()
    async throws
  {
    let database = TestDatabase.current
    let rig = try await Rig.leading(database)
    let announcer = Task {
      await Announcer(
        board: rig.member.board, pool: try Pool(database.configuration),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      ).run()
    }
    let bell = LogBell()
    let listener = Task { try await bell.run(database.configuration) }
    let last = Mutex(Position.empty)
    let reader = try reader()
    let follower = Task {
      // Without the bell it would look once in five minutes.
      for try await page in subscription(
        reader, bell: bell, adjust: { $0.pollInterval = .seconds(300) })
      {
        last.withLock { $0 = page.checkpoint }
      }
    }
    for name in ["one", "two"] {
      let receipt = try await rig.send(PlaceMark(name: Name(known: name)))
      try await eventually("the bell brings \(name)") {
        last.withLock { $0 } >= receipt.position
      }
      var connection = try database.connect()
      try connection.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'
        """)
    }
    for task in [announcer, follower] as [Task<Void, any Error>] { task.cancel() }
    listener.cancel()
    await rig.stop()
  }

  @Test func `without any announcement it is given within the poll interval`() async throws {
    let rig = try await Rig.leading(TestDatabase.current)
    let last = Mutex(Position.empty)
    let reader = try reader()
    let follower = Task {
      for try await page in subscription(reader) { last.withLock { $0 = page.checkpoint } }
    }
    let receipt = try await rig.send(PlaceMark(name: Name(known: "quiet")))
    try await eventually("polling brings it") { last.withLock { $0 } >= receipt.position }
    follower.cancel()
    await rig.stop()
  }
}
