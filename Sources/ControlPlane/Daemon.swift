// wharfd as a whole: its parts, started in order and stopped in reverse.

import EventLog
import Foundation
import Glibc
import Hosting
import Hummingbird
import Logging
import Machine
import Migrations
import NIOCore
import Planner
import Postgres
import ServiceLifecycle
import Time
import UnixSignals
import Wire

extension SeenFile: HeadKeeping {}

package struct Daemon: Sendable {
  package struct Settings: Sendable {
    package let database: String?
    package let listen: String
    package let advertise: String?
    package let secretFile: String
    package let adminTokenFile: String
    package let nodeLostSeconds: Int
    /// Where it keeps what it saw last of the log; beside the secret, unless told otherwise.
    package var seenFile: String
    /// How long requests under way may take to end once a stop was asked for; then they are cut: who reads
    /// no more of what it asked for would hold up the stop for ever.
    package var drainSeconds = usualDrainSeconds
    /// Of clients, at once: 10,000 agents keep one or two each, people and machines come and go.
    package var connectionsLimit = 24_576
    /// Pages of these origins may use the API.
    package var corsOrigins: [String] = []

    package static let usualNodeLostSeconds = SilenceLimits.usualNodeLostSeconds
    package static let usualDrainSeconds = 10
    package static let longestDrainSeconds = 86_400
    package static let nodeLostSecondsRange = SilenceLimits.nodeLostSecondsRange

    package init(
      database: String?, listen: String, advertise: String?, secretFile: String,
      adminTokenFile: String, nodeLostSeconds: Int = usualNodeLostSeconds
    ) {
      self.database = database
      self.listen = listen
      self.advertise = advertise
      self.secretFile = secretFile
      self.adminTokenFile = adminTokenFile
      self.nodeLostSeconds = nodeLostSeconds
      // Several wharfd of one machine may share the secret.
      seenFile = "\(secretFile).\(listen).seen"
    }
  }

  package struct Unusable: Error, CustomStringConvertible {
    package let description: String
  }

  /// How long a start waits for a database that cannot be reached.
  private static let databaseWaitSeconds = 60
  /// Commands under way have so long to end once a stop was asked for; then another may lead.
  fileprivate static let handOverSeconds = 1
  /// Connections for reads beside the log's own.
  private static let poolConnections = 4

  let settings: Settings
  let clocks: Clocks
  let logger: Logger

  package init(settings: Settings, clocks: Clocks = .system, logger: Logger) {
    self.settings = settings
    self.clocks = clocks
    self.logger = logger
  }

  /// The database that is named, or the one of the environment.
  package static func database(_ named: String?) throws -> PostgresConfiguration {
    guard let url = named ?? ProcessInfo.processInfo.environment["WHARF_DATABASE_URL"] else {
      throw Unusable(
        description: "no database is named: pass --database postgres://… or set WHARF_DATABASE_URL")
    }
    return try PostgresConfiguration(url)
  }

  package func run() async throws {
    let (logger, clocks) = (logger, clocks)
    let database = try Self.database(settings.database)
    let (host, port) = try Self.split(settings.listen)
    let address = settings.advertise ?? "http://\(settings.listen)"
    // What can be judged without the database is judged before it is waited for.
    let crossOrigin = try APIServer.crossOrigin(settings.corsOrigins)
    let memory = try SeenFile(settings.seenFile, of: .wharfd) { logger.error("\($0)") }
    for file in [settings.secretFile, settings.adminTokenFile] { _ = try SecretFile.read(file) }
    let secret = try await whenReached {
      for migration in try Migrator.migrate(database) {
        logger.info("applied migration \(migration.number), \(migration.name)")
      }
      return try Bootstrap.clusterSecret(file: settings.secretFile, random: clocks.random) {
        try LogReader.isEmpty(database)
      }
    }
    let keys = PersonKeys(secret)
    let snapshots = SnapshotStore(secret: secret, keys: keys, logger: logger)
    var log = LogSettings(
      database: database, instance: settings.listen, address: address,
      makeCommandID: { clocks.makeCommandID() })
    log.clocks = clocks
    log.memory = memory
    log.snapshots = snapshots
    log.nodeLostSeconds = settings.nodeLostSeconds
    log.keys = keys
    let member = try LogMember(settings: log, secret: secret, logger: logger)
    var options = PoolOptions()
    options.lanes = Self.poolConnections
    options.name = "wharfd-read"
    let pool = try Pool(database, options: options)
    let signals = SignalBook(limits: SilenceLimits(nodeLostSeconds: settings.nodeLostSeconds))
    let bell = LogBell(clocks: clocks)
    let readers = ReaderBook(clocks: clocks, logger: logger)
    let server = try APIServer(
      member: member,
      reader: LogReader(
        pool: pool, keys: keys, snapshots: snapshots, outOfTouch: { member.outOfTouch }),
      bell: bell,
      signals: signals, readers: readers,
      secret: secret, host: host,
      port: port, address: address, connectionsLimit: settings.connectionsLimit,
      crossOrigin: crossOrigin,
      now: { member.time ?? clocks.date }, logger: logger)
    let projector = try Projector(
      board: member.board, database: database, keys: keys, logger: logger, snapshots: snapshots,
      readers: readers)
    let watch = try ReaderWatch(
      board: member.board, database: database, readers: readers,
      now: { member.time ?? clocks.date })
    let eraser = try Eraser(
      member: member, snapshots: snapshots, database: database,
      makeCommandID: { clocks.makeCommandID() },
      logger: logger)
    let snapshotter = try Snapshotter(
      board: member.board, store: snapshots, database: database, logger: logger)
    // Whose port is taken must not lead for a moment first.
    let (listening, isListening) = AsyncStream<Void>.makeStream(
      bufferingPolicy: .bufferingNewest(1))
    let application = server.application { _ in
      logger.info("listening on \(address)")
      isListening.yield()
      isListening.finish()
    }
    var configuration = ServiceGroupConfiguration(
      services: [
        LogService(member: member, listening: listening),
        AnnouncerService(member: member, pool: pool, readers: readers, logger: logger),
        BellService(bell: bell, database: database),
        AdmissionService(member: member, file: settings.adminTokenFile, logger: logger),
        Reconciler(
          member: member, signals: signals, makeCommandID: { clocks.makeCommandID() },
          logger: logger),
        projector,
        watch,
        server.changes,
        SnapshotService(snapshotter: snapshotter),
        eraser,
        ServingService(
          application: application, member: member, settings: settings, logger: logger),
      ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.drainSeconds)
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as IOError {
      await pool.close()
      throw Unusable(
        description:
          "cannot listen on \(settings.listen): \(String(cString: strerror(error.errnoCode)))"
          + "; choose another address or port with --listen")
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
  }

  /// Started beside the database, or while it starts anew, wharfd waits for it, and says for what.
  ///
  /// - Parameter body: may be done again: a migration looks first at what is there.
  private func whenReached<Value>(_ body: () throws -> Value) async throws -> Value {
    let end = clocks.now + .seconds(Self.databaseWaitSeconds)
    var backoff = Backoff.betweenTries
    var said: String?
    while true {
      do { return try body() } catch let error as PostgresError
        where error.isServerAway && clocks.now < end
      {
        if said != error.description {
          logger.warning(
            "waiting for the database, for \(Self.databaseWaitSeconds) s at most: \(error)")
          said = error.description
        }
        try await clocks.sleep(for: backoff.next())
      }
    }
  }

  static func split(_ listen: String) throws -> (host: String, port: Int) {
    guard let colon = listen.lastIndex(of: ":"),
      let port = Int(listen[listen.index(after: colon)...]), (0...65_535).contains(port),
      colon > listen.startIndex
    else {
      throw Unusable(description: "'\(listen)' is no address to listen on: write 127.0.0.1:7400")
    }
    return (String(listen[..<colon]), port)
  }
}

/// The log's thread, as a service: from when the port is open until shutdown, or until another
/// service failed. It may have handed the lead over before its turn to end comes.
private struct LogService: Service {
  let member: LogMember
  let listening: AsyncStream<Void>

  func run() async throws {
    await cancelWhenGracefulShutdown { for await _ in listening {} }
    guard !Task.isCancelled, !Task.isShuttingDownGracefully else { return }
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await member.run()
    } onCancelOrGracefulShutdown: {
      member.stop()
    }
    try? await gracefulShutdown()
  }
}

/// The API. Requests under way end before all else does; but who reads slowly what it asked for holds up
/// nobody who is to lead instead. It says when a stop had to cut requests.
private struct ServingService<Application: ApplicationProtocol>: Service {
  let application: Application
  let member: LogMember
  let settings: Daemon.Settings
  let logger: Logger

  func run() async throws {
    let member = member
    try await withGracefulShutdownHandler {
      try await application.run()
    } onGracefulShutdown: {
      Task {
        try await member.clocks.sleep(for: .seconds(Daemon.handOverSeconds))
        member.stop()
      }
    }
    if Task.isCancelled, Task.isShuttingDownGracefully {
      logger.warning("requests that had not ended after \(settings.drainSeconds) s were cut")
    }
  }
}

private struct AnnouncerService: Service {
  let member: LogMember
  let pool: Pool
  let readers: ReaderBook
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await Announcer(board: member.board, pool: pool, readers: readers, logger: logger).run()
    }
  }
}

private struct SnapshotService: Service {
  let snapshotter: Snapshotter

  func run() async throws {
    await cancelWhenGracefulShutdown { await snapshotter.run() }
  }
}

private struct BellService: Service {
  let bell: LogBell
  let database: PostgresConfiguration

  func run() async throws {
    try await cancelWhenGracefulShutdown { try await bell.run(database) }
  }
}

/// What a leader makes sure of first: the engines that this program brings, and an admin while the log
/// knows no person; in this order, so that the first admin finds a system that is whole. Tried again
/// while the database is away.
private struct AdmissionService: Service {
  let member: LogMember
  let file: String
  let logger: Logger
  /// Between two tries.
  private static let restMilliseconds = 500

  func run() async throws {
    let clocks = member.clocks
    var settled: Position?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = member.board.current
      if case .leading(let epoch) = head.standing, settled != epoch {
        do {
          try await Bootstrap.defineEngines(
            member: member, makeCommandID: { clocks.makeCommandID() }, logger: logger)
          if head.state.persons.count == 0 {
            try await Bootstrap.admitFirstAdmin(
              file: file, member: member, commandID: clocks.makeCommandID(), logger: logger)
          }
          settled = epoch
        } catch let failure as SubmitFailure {
          logger.warning("cannot set up the log yet: \(failure)")
          // Also while others append: what was refused is likely refused again.
          await Pause.rest(.milliseconds(Self.restMilliseconds), by: clocks)
          continue
        }
      }
      await member.board.pause(
        after: head.state.position, upTo: .milliseconds(Self.restMilliseconds))
    }
  }
}
