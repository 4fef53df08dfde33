// Announcements are hints: when one is lost, or nobody listens any more, everything is given within the
// poll interval all the same, to subscriptions and to followers.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct UnheardBellTests {
  enum Loss: String, CaseIterable, Sendable, CustomStringConvertible {
    /// The leader's NOTIFY never goes out.
    case neverAnnounced = "never announced"
    /// It goes out while the connection that listened is gone.
    case listenerDropped = "the listening connection dropped"
    /// It goes out to a connection that hears nothing any more, and does not break.
    case listenerStalled = "its backend stalled"

    var description: String { rawValue }
  }

  /// How often each reader looks, bell or not.
  struct Polls: Sendable {
    var subscription = Duration.milliseconds(400)
    var follower = Duration.milliseconds(400)
  }

  private static let never = Duration.seconds(36_000)
  /// Ten intervals. One that looks is waited for with patience: nothing else would bring it what it waits
  /// for; one that never looks gets nothing, however long it is watched.
  private static let neverSeconds = 4.0
  private static let rounds = 5

  /// One that listens under a name of its own at the database.
  private final class Ear: Sendable {
    let bell = LogBell()
    /// The last position that was announced to it. How often it rang says nothing of one event: what
    /// happened before may be announced late.
    private let announced = Mutex(Position.empty)
    let name: String
    private static let noProbeSeconds = 36_000
    private let task: Mutex<Task<Void, any Error>?> = Mutex(nil)

    init(_ name: String) throws {
      self.name = name
      var configuration = try TestDatabase.current.configuration
      configuration.applicationName = name
      // Whoever asks its server for a sign of life finds a stalled one out after a while.
      var options = ListenOptions()
      options.probeSeconds = Self.noProbeSeconds
      let (listening, patient) = (configuration, options)
      task.withLock {
        $0 = Task { [self] in
          // As the bell does by itself.
          let channel = LogStatements.channel
          for await event in try listen(listening, channel: channel, options: patient) {
            if case .notified(let payload) = event {
              announced.withLock { $0 = max($0, Position(text: payload) ?? .empty) }
            }
            bell.ring()
          }
        }
      }
    }

    /// Whether it was told of a position.
    func heard(of position: Position) -> Bool { announced.withLock { $0 >= position } }

    /// The backend over which it listens.
    func backend(_ connection: inout Connection) async throws -> Int32 {
      try await eventually("\(name) listens") {
        try connection.query(
          """
          SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND application_name = \(name) AND state = 'idle' AND query ~ 'LISTEN'
          """
        ).first?.decode(Int32.self, at: 0)
      }
    }

    func stop() { task.withLock { $0?.cancel() } }
  }

  /// How long both readers have to rest before something is appended: one that just looks finds it.
  private static let rest: Query = """
    SELECT bool_and(state = 'idle' AND clock_timestamp() - state_change > interval '100 ms')
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name IN ('reader', 'follower')
    """

  /// - Returns: whether it came to be.
  private func comes(to poll: Duration, _ condition: () -> Bool) async throws -> Bool {
    let seconds = poll == Self.never ? Self.neverSeconds : Pace.patienceSeconds
    do {
      try await eventually("it is given", withinSeconds: seconds) { condition() }
    } catch is TestFailure { return false }
    return true
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
    // Each with a connection that it has for itself, and keeps.
    let announcer = Announcer(
      board: one.member.board, pool: try Pool(named("announcer")), logger: .silent)
    let announcements = Task { if loss != .neverAnnounced { await announcer.run() } }
    // Of these only the first loses what is announced.
    let (ear, witness) = (try Ear("bell"), try Ear("witness"))
    var options = SubscriptionOptions()
    options.pollInterval = polls.subscription
    let subscription = Subscription(
      name: "a test",
      reader: LogReader(pool: try Pool(named("reader")), keys: PersonKeys(Rig.secret)),
      bell: ear.bell, after: .empty, options: options)
    let given = Mutex(Position.empty)
    let tailing = Task {
      for try await page in subscription { given.withLock { $0 = page.checkpoint } }
    }
    try await eventually("all is given") { given.withLock { $0 } == one.head.state.position }
    var connection = try database.connect()
    _ = try await witness.backend(&connection)
    if loss != .neverAnnounced {
      try await eventually("what happened before was announced") {
        try connection.query(
          """
          SELECT FROM pg_stat_activity WHERE datname = current_database()
            AND application_name = 'announcer' AND state = 'idle'
          """
        ).count > 0
      }
    }

    try await eventually("both listen") { ear.bell.count > 0 && witness.bell.count > 0 }
    var faults = Faults()
    for round in 1...Self.rounds where faults.all.isEmpty {
      let backend = try await ear.backend(&connection)
      let rung = ear.bell.count
      switch loss {
      case .neverAnnounced: break
      case .listenerStalled: try database.cluster.pause(backend)
      case .listenerDropped:
        // And none comes back before its time.
        try await database.allowConnections(false)
        let ended = try connection.query("SELECT pg_terminate_backend(\(backend), 300000)")
        #expect(try ended[0].decode(Bool.self, at: 0))
      }
      try await eventually("both readers rest") {
        try connection.query(Self.rest)[0].decode(Bool.self, at: 0)
      }
      let position = try await one.send(PlaceMark(name: Name(known: "unheard-\(round)"))).position
      faults.note(
        "the subscription did not give it",
        unless: try await comes(to: polls.subscription) { given.withLock { $0 } >= position })
      faults.note(
        "the follower does not have it",
        unless: try await comes(to: polls.follower) { two.head.state.position >= position })
      switch loss {
      case .neverAnnounced: #expect(!witness.heard(of: position) && !ear.heard(of: position))
      case .listenerStalled:
        try await eventually("it was announced") { witness.heard(of: position) }
        #expect(!ear.heard(of: position), "it heard nothing")
        try database.cluster.resume(backend)
        try await eventually("it hears again") { ear.heard(of: position) }
      case .listenerDropped:
        try await eventually("it was announced") { witness.heard(of: position) }
        #expect(!ear.heard(of: position), "nobody heard it")
        try await database.allowConnections(true)
        try await eventually("it hears again") { ear.bell.count > rung }
        #expect(try await ear.backend(&connection) != backend)
      }
    }
    announcements.cancel()
    tailing.cancel()
    ear.stop()
    witness.stop()
    await two.stop()
    await one.stop()
    return faults.all
  }

  @Test(arguments: Loss.allCases)
  func `delivery by looking, without the bell, when it is`(loss: Loss) async throws {
    #expect(try await faults(loss, Polls()) == [])
  }

  /// One that connects anew hears the bell when it does: that loss alone would not find them.
  @Test(arguments: [Loss.neverAnnounced, .listenerStalled])
  func `readers that rest on the bell are found out when it is`(loss: Loss) async throws {
    let deaf = try await faults(loss, Polls(subscription: Self.never))
    #expect(deaf == [Fault("the subscription did not give it")])
  }

  /// A follower listens for itself: it is deaf only where nothing is announced.
  @Test func `followers that rest on announcements are found out when it is`() async throws {
    let deaf = try await faults(.neverAnnounced, Polls(follower: Self.never))
    #expect(deaf == [Fault("the follower does not have it")])
  }
}
