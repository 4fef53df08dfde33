// The simulated engine as a program: from its command line to its exit.

import ArgumentParser
import Foundation
import Glibc
import HTTPServing
import Hosting
import Hummingbird
import HummingbirdCore
import Logging
import Program
import ServiceLifecycle
import UnixSignals

/// An OpenAI-compatible engine without a model, for trying and testing without devices.
///
/// Exit codes: 0 stopped by SIGTERM; 2 wrong usage; 3 the address could not be taken; 4 the engine log
/// could not be written; else as the flags for failures ask.
package struct EngineSimCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "wharf-engine-sim",
    abstract: "A simulated OpenAI-compatible engine, for trying and testing without devices.",
    discussion: """
      Replies are made up from prompt and seed, and name the model that answered. \
      WHARF_DEVICES, WHARF_DEVICE_MILLI, WHARF_REPLICA and WHARF_ATTEMPT say in the engine log and \
      in replies who it is.
      """, version: "wharf-engine-sim \(Program.version)")

  private static let idleTimeoutSeconds: Int64 = 300
  private static let acceptBacklog = 1024

  @OptionGroup var options: Options

  package init() {}

  /// The whole program. The start is recorded before anything else, the reading of the command line
  /// included, which takes long enough for two attempts to overlap unseen.
  package static func run(arguments: [String]) async -> Never {
    signal(SIGPIPE, SIG_IGN)
    let environment = ProcessInfo.processInfo.environment
    do {
      let identity = try EngineIdentity(environment: environment)
      let path = EngineLog.path(in: arguments) ?? environment["WHARF_ENGINE_LOG"]
      let log = try EngineLog(path: path, identity: identity)
      try log.begin()
      let command = parse(arguments, log: log)
      await command.serve(identity: identity, environment: environment, log: log)
    } catch {
      say("wharf-engine-sim: \(error)", to: STDERR_FILENO)
      Glibc.exit(error.code.rawValue)
    }
  }

  private static func parse(_ arguments: [String], log: EngineLog) -> EngineSimCommand {
    do {
      // Help is a command of its own, which fails to be this one.
      guard let command = try parseAsRoot(Program.arguments(arguments)) as? EngineSimCommand else {
        throw CleanExit.helpRequest(self)
      }
      return command
    } catch {
      try? log.record(.stop, exitCode: Program.exitCode(self, error))
      Program.end(self, with: error)
    }
  }

  private func serve(
    identity: EngineIdentity, environment: [String: String], log: EngineLog
  ) async -> Never {
    if options.failures.refuseStop { signal(SIGTERM, SIG_IGN) }
    let key = options.serving.apiKey ?? environment["WHARF_ENGINE_KEY"]
    let engine = Engine(options: options, identity: identity, key: key, log: log)
    if key?.isEmpty == true {
      say("the engine key is empty: give one, or unset WHARF_ENGINE_KEY", to: STDERR_FILENO)
      engine.exit(code: StartError.Code.usage.rawValue)
    }
    await serve(engine)
  }

  private func serve(_ engine: Engine) async -> Never {
    let listening = Listening()
    var logger = Logger(
      label: "wharf-engine-sim", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .error
    let application = Application(
      router: engine.makeRouter(),
      server: .plain(.init(idleTimeout: .seconds(Self.idleTimeoutSeconds))),
      configuration: .init(
        address: .hostname(options.serving.host, port: options.serving.port),
        backlog: Self.acceptBacklog,
        availableConnectionsDelegate: MaximumAvailableConnections(options.limits.maxConnections)),
      onServerRunning: { listening.begin(on: $0) }, logger: logger)
    var configuration = ServiceGroupConfiguration(
      services: [
        .init(service: application),
        .init(
          service: Loader(engine: engine, listening: listening),
          successTerminationBehavior: .ignore),
      ],
      gracefulShutdownSignals: options.failures.refuseStop ? [.sigint] : [.sigterm, .sigint],
      logger: logger)
    configuration.maximumGracefulShutdownDuration = options.pace.stopGrace.duration
    do {
      try await ServiceGroup(configuration: configuration).run()
    } catch is CancellationError {
      // The grace is over: what was under way is cut off.
    } catch {
      say("wharf-engine-sim: \(describe(error))", to: STDERR_FILENO)
      engine.exit(code: StartError.Code.unavailable.rawValue)
    }
    try? await Task.sleep(for: options.failures.slowStop.duration)
    engine.exit(code: 0)
  }

  private func describe(_ error: any Error) -> String {
    "cannot serve on \(options.serving.host):\(options.serving.port): \(error)"
  }
}
