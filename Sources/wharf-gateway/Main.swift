// wharf-gateway: the OpenAI-compatible endpoint of a hosting platform.

import ArgumentParser
import Gateway
import Glibc
import Hosting
import Logging
import NIOCore
import Program
import Wire

@main
enum Main {
  static func main() async { await Program.run(WharfGateway.self) }
}

struct WharfGateway: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wharf-gateway",
    abstract:
      "The OpenAI-compatible endpoint: enforces grants, keys and quotas, routes to replicas.",
    version: "wharf-gateway \(Program.version)",
    subcommands: [Run.self, AcceptLog.self])
}

struct AcceptLog: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let the gateway follow another log than the one it saw.",
    discussion: """
      For after a restore or a recovery of the control plane's database, once a person has made sure \
      that the log it has now is the right one. Stop the gateway first.
      """)

  @Option(
    help: "What 'run' keeps beside its credential: CREDENTIAL-FILE.seen.", transform: Paths.named)
  var seenFile: String

  func run() throws { try SeenFile.forget(seenFile) }
}

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Serve until told to stop.")

  @Option(
    help: "A wharfd to pull the policy from; once for each.",
    transform: { text in try ServerAddress(text).text })
  var server: [String] = ["http://127.0.0.1:7400"]

  @Option(help: "The address to answer at.")
  var listen = "127.0.0.1:7480"

  @Option(help: "A file with this gateway's credential.", transform: Paths.named)
  var credentialFile: String

  @Option(
    help: """
      Where what was seen of the log is kept, and which process this is beside it; \
      CREDENTIAL-FILE.seen when absent.
      """,
    transform: Paths.named)
  var seenFile: String?

  @Option(
    help: "A file with the bearer token that shows names in /metrics; totals need none.",
    transform: Paths.named)
  var metricsTokenFile: String?

  @Option(
    help: """
      An origin whose web pages may use this gateway, as in https://app.example.com; once for each, \
      or '*' for all. None when absent.
      """)
  var corsOrigin: [String] = []

  @Option(
    name: [.customLong("drain"), .customLong("drain-seconds")],
    help: ArgumentHelp(
      "How long requests in flight may take to end after SIGTERM; 30s when absent.",
      valueName: "time"),
    transform: Lengths.whole(.seconds, in: 0...GatewayLimits.longestDrainSeconds))
  var drain: Span?

  @Option(help: "How much is logged: trace, debug, info, notice, warning, error, critical.")
  var logLevel = "info"

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    Hangup.stops()
    guard let colon = listen.lastIndex(of: ":"), colon > listen.startIndex,
      let port = Int(listen[listen.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw ValidationError("'\(listen)' is no address to listen at: write HOST:PORT") }
    var options = GatewayOptions(
      servers: server, host: String(listen[..<colon]), port: port, credentialFile: credentialFile,
      metricsTokenFile: metricsTokenFile, seenFile: seenFile ?? "\(credentialFile).seen",
      processFile: "\(seenFile ?? credentialFile).process")
    if let drain { options.limits.drainSeconds = try drain.whole(.seconds) }
    options.corsOrigins = corsOrigin
    options.limits.clientConnections = Descriptors.room(
      forConnections: options.limits.clientConnections)
    guard let level = Logger.Level(rawValue: logLevel) else {
      throw ValidationError("'\(logLevel)' is no log level")
    }
    var logger = Logger(label: "wharf-gateway")
    logger.logLevel = level
    do {
      let gateway = try GatewayServer(options, logger: logger)
      try await gateway.run { port in
        print("wharf-gateway answers at port \(port)")
        fflush(nil)
      }
    } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw StartFailure(
        "cannot listen at \(listen): another program does; choose another with --listen")
    } catch {
      throw StartFailure("the gateway could not run: \(error)")
    }
  }
}

struct StartFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
