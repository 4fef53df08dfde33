// `wharfd run`: the daemon.

import ArgumentParser
import ControlPlane
import Glibc
import Hosting
import Logging
import Program
import Wire

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run the daemon (the default).")

  @OptionGroup var database: DatabaseOption

  @Option(help: "Address and port of the API.")
  var listen = "127.0.0.1:7400"

  @Option(
    help: "Where other wharfd reach this API; http://LISTEN when absent.",
    transform: { text in try ServerAddress(text).text })
  var advertise: String?

  @Option(
    help: "File of the secret that all wharfd of this system share; made if absent.",
    transform: Paths.named)
  var secretFile: String

  @Option(
    help: "File for the first admin's token; made while the log is empty.", transform: Paths.named)
  var adminTokenFile: String

  @Option(
    help:
      "File in which it keeps what it saw last of the log; SECRET_FILE.LISTEN.seen when absent.",
    transform: Paths.named)
  var seenFile: String?

  @Option(
    name: [.customLong("node-lost"), .customLong("node-lost-seconds")],
    help: ArgumentHelp(
      """
      A node is lost when silent for so long. How long an agent may act unheard, and how often it \
      speaks, stands in proportion. The same for every wharfd of this system. \
      \(Daemon.Settings.usualNodeLostSeconds)s when absent.
      """, valueName: "time"),
    transform: Lengths.whole(.seconds, in: Daemon.Settings.nodeLostSecondsRange))
  var nodeLost = Span(Daemon.Settings.usualNodeLostSeconds, .seconds)

  @Option(
    help: """
      An origin whose web pages may use the API, as in https://console.example.com; once for each, \
      or '*' for all. None when absent.
      """)
  var corsOrigin: [String] = []

  @Option(
    name: [.customLong("drain"), .customLong("drain-seconds")],
    help: ArgumentHelp(
      "How long requests under way may take to end after SIGTERM; 10s when absent.",
      valueName: "time"),
    transform: Lengths.whole(.seconds, in: 0...Daemon.Settings.longestDrainSeconds))
  var drain = Span(Daemon.Settings.usualDrainSeconds, .seconds)

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    Hangup.stops()
    let logger = Logger(label: "wharfd") { StreamLogHandler.standardError(label: $0) }
    var settings = try Daemon.Settings(
      database: database.database, listen: listen, advertise: advertise, secretFile: secretFile,
      adminTokenFile: adminTokenFile, nodeLostSeconds: nodeLost.whole(.seconds))
    settings.drainSeconds = try drain.whole(.seconds)
    if let seenFile { settings.seenFile = seenFile }
    settings.corsOrigins = corsOrigin
    settings.connectionsLimit = Descriptors.room(forConnections: settings.connectionsLimit)
    do {
      try await Daemon(settings: settings, logger: logger).run()
    } catch {
      logger.critical("wharfd stops: \(error)")
      throw ExitCode.failure
    }
  }
}
