// Readers of the log that are really held up, by a lock, a stalled backend or a slow consumer: the alarm
// begins, says where they are, and ends.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing
import Time

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct ReadersBehindTests {
  /// Short, so that a test is; what a busy machine holds up for that long is told of too, and ends.
  private static let behindLimit = Duration.seconds(1)
  private static let interval = Duration.milliseconds(50)

  /// A book that is looked at, and what was said of those in it.
  private final class Watched: Sendable {
    let readers: ReaderBook
    private let said: LogLines
    private let task: Task<Void, Never>

    init(_ board: HeadBoard) throws {
      let lines = LogLines()
      said = lines
      readers = ReaderBook(behindLimit: ReadersBehindTests.behindLimit, logger: lines.logger)
      let watch = try ReaderWatch(
        board: board, database: TestDatabase.current.configuration, readers: readers,
        interval: ReadersBehindTests.interval, now: { Clocks.system.date })
      task = Task { await watch.run() }
    }

    /// Waits until a reader is said to be behind a head.
    func begins(_ name: String, of head: Position) async throws -> BehindReader {
      let reader = try await eventually("\(name) is behind") {
        readers.behind.first { $0.name == name && $0.head >= head }
      }
      try await eventually("it is said that \(name) is behind") {
        said.all.contains { $0.hasPrefix("warning behind the log: \(name) at ") }
      }
      return reader
    }

    func ends(_ name: String) async throws {
      try await eventually("\(name) is behind no more") {
        !readers.behind.contains { $0.name == name }
      }
      try await eventually("it is said that \(name) is behind no more") {
        said.all.last { $0.contains(" \(name) at ") }?
          .hasPrefix("notice no longer behind the log: ") == true
      }
    }

    func stop() async {
      task.cancel()
      await task.value
    }
  }

  /// That of a connection by its name, once it has done something.
  private func backend(_ name: String) async throws -> Int32 {
    try await eventually("\(name) is idle") {
      try await onThread { connection in
        try connection.query(
          """
          SELECT pid FROM pg_stat_activity WHERE datname = current_database()
            AND application_name = \(name) AND state = 'idle'
          """
        ).first?.decode(Int32.self, at: 0)
      }
    }
  }

  @Test(arguments: [
    "SELECT FROM views.checkpoint FOR UPDATE",
    "LOCK TABLE views.checkpoint IN ACCESS EXCLUSIVE MODE",
    "LOCK TABLE views.providers IN SHARE MODE",
  ])
  func `the projector, while another session holds`(lock: String) async throws {
    let rig = try await LogRig(.current)
    let watched = try Watched(rig.member.board)
    let projector = try Projector(
      board: rig.member.board, database: TestDatabase.current.configuration,
      keys: PersonKeys(LogRig.secret), logger: .quiet, readers: watched.readers)
    let projecting = Task { try await projector.run() }
    try await viewsCatchUp(rig)
    let before = try await viewsPosition()
    var holder = try TestDatabase.current.connect()
    try holder.script("BEGIN; \(lock)")
    var commands = RandomCommands(seed: 81)
    try await rig.register("held")
    try await rig.send(&commands, count: 30)
    let head = rig.member.board.current.state.position
    let reader = try await watched.begins("views", of: head)
    #expect(reader.position == before && reader.events == head.value - before.value)
    let now = Clocks.system.date
    #expect(reader.since <= now && reader.since > now.adding(seconds: -3_600))
    try holder.script("ROLLBACK")
    try await watched.ends("views")
    try await viewsCatchUp(rig)
    projecting.cancel()
    _ = try? await projecting.value
    await watched.stop()
    await rig.stop()
  }

  @Test func `a subscription whose consumer is slow`() async throws {
    let rig = try await LogRig(.current)
    let watched = try Watched(rig.member.board)
    let reader = LogReader(
      pool: try Pool(TestDatabase.current.configuration), keys: PersonKeys(LogRig.secret))
    let (gate, opening) = AsyncStream<Void>.makeStream()
    let taken = Mutex(Position.empty)
    let consuming = Task {
      for try await page in Subscription(
        name: "slow", reader: reader, bell: LogBell(), after: .empty, readers: watched.readers)
      {
        taken.withLock { $0 = page.checkpoint }
        // Busy with what it was given.
        for await _ in gate { break }
      }
    }
    let held = try await eventually("it was given something") {
      taken.withLock { $0 == .empty ? nil : $0 }
    }
    try await rig.register("later")
    let head = rig.member.board.current.state.position
    let behind = try await watched.begins("slow", of: head)
    #expect(behind.position < held, "it is not done with what it was given")
    opening.finish()
    try await watched.ends("slow")
    #expect(taken.withLock { $0 } >= head)
    consuming.cancel()
    _ = try? await consuming.value
    await watched.stop()
    await rig.stop()
  }

  @Test func `the state of a wharfd that follows, while its backend is stalled`() async throws {
    let database = TestDatabase.current
    let rig = try await LogRig(database)
    var configuration = try database.configuration
    configuration.applicationName = "follower"
    var settings = LogSettings(
      database: configuration, instance: "two", address: "http://two",
      makeCommandID: { .random() })
    // Given up by itself only after the alarm has begun.
    settings.statementTimeout = .seconds(600)
    let follower = try LogMember(settings: settings, secret: LogRig.secret, logger: .quiet)
    let following = Task { try await follower.run() }
    try await eventually("two follows") {
      follower.board.current.standing == .following(address: "http://one")
    }
    let watched = try Watched(follower.board)
    let backend = try await backend("follower")
    try database.cluster.pause(backend)
    defer { try? database.cluster.resume(backend) }
    try await rig.register("unseen")
    let head = rig.member.board.current.state.position
    let reader = try await watched.begins("state", of: head)
    #expect(reader.position < head)
    try database.cluster.resume(backend)
    try await watched.ends("state")
    try await eventually("two has it") { follower.board.current.state.position >= head }
    follower.stop()
    _ = try? await following.value
    await watched.stop()
    await rig.stop()
  }

  @Test func `the announcer, while its backend is stalled, and then it tells what is due`()
    async throws
  {
    let database = TestDatabase.current
    let rig = try await LogRig(database)
    let watched = try Watched(rig.member.board)
    var configuration = try database.configuration
    configuration.applicationName = "announcer"
    // Given up by itself only after the alarm has begun.
    configuration.statementTimeout = .seconds(600)
    let pool = try Pool(configuration)
    let announcer = Announcer(
      board: rig.member.board, pool: pool, readers: watched.readers, logger: .quiet)
    let announcing = Task { await announcer.run() }
    let backend = try await backend("announcer")
    try database.cluster.pause(backend)
    defer { try? database.cluster.resume(backend) }
    try await rig.register("untold")
    let head = rig.member.board.current.state.position
    _ = try await watched.begins("announcer", of: head)
    let bell = LogBell()
    let listening = Task { try await bell.run(database.configuration) }
    try await eventually("somebody listens") { bell.count > 0 }
    let heard = bell.count
    try database.cluster.resume(backend)
    try await watched.ends("announcer")
    try await eventually("what was due is announced") { bell.count > heard }
    listening.cancel()
    announcing.cancel()
    await watched.stop()
    await rig.stop()
  }
}

extension LogRig {
  fileprivate func register(_ name: String) async throws {
    _ = try await member.submit(
      CommandRequest(
        id: .random(), command: RegisterProvider(name: Name(known: name)),
        principal: Principal(actor: .of(Stream(.person, 3)), role: .admin)))
  }
}

/// Keeps what is logged, each line after its level.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  var logger: Logger {
    Logger(label: "test") { _ in
      Handler { [self] line in lines.withLock { $0.append(line) } }
    }
  }

  private struct Handler: LogHandler {
    let keep: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(keep: @escaping @Sendable (String) -> Void) { self.keep = keep }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { keep("\(event.level) \(event.message)") }
  }
}
