// Puts the gateway together and runs it: endpoint, line to the control plane, clock's hand. At a
// graceful stop the endpoint ends first, so that what is in flight keeps its lease until it is done.

import AsyncHTTPClient
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Time
import UnixSignals
import Wire

package struct GatewayOptions: Sendable {
  /// `http://127.0.0.1:7400`, one for each wharfd.
  package var servers: [String]
  package var host: String
  package var port: Int
  package var credentialFile: String
  package var metricsTokenFile: String?
  /// Where what was seen of the log is kept; nowhere when absent.
  package var seenFile: String?
  /// Where it is kept which process this is; nowhere when absent.
  package var processFile: String?
  /// Pages of these origins may read answers: `https://app.example.com`, or `*` for all.
  package var corsOrigins: [String] = []
  package var limits = GatewayLimits()

  package init(
    servers: [String], host: String, port: Int, credentialFile: String,
    metricsTokenFile: String? = nil, seenFile: String? = nil, processFile: String? = nil
  ) {
    self.processFile = processFile
    self.servers = servers
    self.host = host
    self.port = port
    self.credentialFile = credentialFile
    self.metricsTokenFile = metricsTokenFile
    self.seenFile = seenFile
  }
}

package struct GatewayServer: Sendable {
  let gate: Gate
  let options: GatewayOptions
  private let metrics: GatewayMetrics
  private let client: HTTPClient
  /// The line to the control plane has a thread of its own: an event loop that is busy writing
  /// streams may not look at its other connections for seconds, and the lease would end of it.
  private let linkLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let linkClient: HTTPClient
  private let connections: ConnectionBook
  private let crossOrigin: CrossOrigin?
  private let metricsToken: Hosting.Digest?
  private let memory: SeenFile?
  private let process: ProcessFile
  private let logger: Logger

  /// What pages of other origins may read of an answer's header.
  private static let exposedFields: [HTTPField.Name] =
    HTTPField.Name.ownFields + [.retryAfterSeconds] + Headers.quotaFields

  /// - Throws: `Credential.Unreadable`, `SeenFile.Problem`, `CrossOrigin.Unreadable`.
  package init(_ options: GatewayOptions, clocks: Clocks = .system, logger: Logger) throws {
    self.options = options
    self.logger = logger
    _ = try Credential(file: options.credentialFile)
    metricsToken = try options.metricsTokenFile.map {
      GatewayResponder.digest(Substring(try Credential(file: $0).secret))
    }
    memory = try options.seenFile.map { try SeenFile($0, of: .gateway) { logger.error("\($0)") } }
    process = ProcessFile(file: options.processFile, random: clocks.random) {
      logger.warning("\($0)")
    }
    connections = ConnectionBook(options.limits.serving)
    crossOrigin =
      options.corsOrigins.isEmpty
      ? nil
      : try CrossOrigin(
        origins: options.corsOrigins, exposing: Self.exposedFields.map(\.canonicalName))
    gate = Gate(limits: options.limits, clocks: clocks)
    metrics = GatewayMetrics(limits: options.limits)
    client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: Self.engineConfiguration(options.limits))
    linkClient = HTTPClient(
      eventLoopGroupProvider: .shared(linkLoop),
      configuration: Self.clientConfiguration(options.limits))
  }

  private static func engineConfiguration(_ limits: GatewayLimits) -> HTTPClient.Configuration {
    var configuration = clientConfiguration(limits)
    configuration.connectionPool.idleTimeout = .seconds(limits.engineKeepAliveSeconds)
    return configuration
  }

  private static func clientConfiguration(_ limits: GatewayLimits) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.timeout = .init(connect: .seconds(limits.engineConnectSeconds), read: nil)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      limits.connectionsPerEngine
    // The gateway has other routes to try, which is quicker than asking the same one again.
    configuration.connectionPool.retryConnectionEstablishment = false
    return configuration
  }

  package func application(
    onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    let limits = options.limits
    let form = Replies.form(limits)
    return Application(
      responder: MannersResponder(
        GatewayResponder(
          gate: gate, metrics: metrics, client: client, connections: connections,
          metricsToken: metricsToken,
          failures: FailureLog(logger: logger, linesPerSecond: limits.failureLinesPerSecond),
          bodies: BodyBudget(bytes: limits.bodiesBytes)),
        crossOrigin: crossOrigin, methods: "GET, HEAD, POST", form: form),
      server: .serving(limits.serving, connections, form: form),
      configuration: ApplicationConfiguration(
        address: .hostname(options.host, port: options.port),
        availableConnectionsDelegate: .maximum(limits.serving.connections, logger: logger)),
      onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
      logger: logger)
  }

  /// Runs until it is told to stop. Throws what the endpoint could not be opened for.
  package func run(
    signals: [UnixSignal] = [.sigterm, .sigint],
    onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
  ) async throws {
    let link = PolicyLink(
      gate: gate, metrics: metrics, client: linkClient, servers: options.servers,
      credentialFile: options.credentialFile, address: "\(options.host):\(options.port)",
      process: process, memory: memory, logger: logger)
    let sightings = SightingLink(
      gate: gate, client: linkClient, servers: options.servers,
      credentialFile: options.credentialFile, logger: logger)
    var configuration = ServiceGroupConfiguration(
      services: [
        link, sightings, Sweeper(gate: gate),
        Drain(endpoint: application(onRunning: onRunning), gate: gate),
      ],
      gracefulShutdownSignals: signals, logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(
      options.limits.drainSeconds + options.limits.lastWordsSeconds)
    let group = ServiceGroup(configuration: configuration)
    do {
      try await group.run()
    } catch {
      try? await close()
      throw error
    }
    try await close()
  }

  /// Gives back the connections to engines; `run` does so itself.
  func close() async throws {
    try await client.shutdown()
    try await linkClient.shutdown()
    try await linkLoop.shutdownGracefully()
  }
}

/// Holds what is in flight against the clock.
private struct Sweeper: Service {
  let gate: Gate

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        gate.sweep()
        try? await gate.clocks.sleep(for: .milliseconds(gate.limits.sweepMilliseconds))
      }
    }
  }
}
