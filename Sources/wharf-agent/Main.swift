// wharf-agent: one per worker node. See the module Agent.

import Agent
import ArgumentParser
import Glibc
import Hosting
import Logging
import Program
import Wire

@main
enum Main {
  static func main() async { await Program.run(WharfAgent.self) }
}

struct WharfAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wharf-agent",
    abstract: "Makes a node match what the control plane assigned to it.",
    version: "wharf-agent \(Program.version)",
    subcommands: [
      Run.self, Status.self, Digest.self, StopEngines.self, AcceptLog.self,
    ])

  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Run the agent of this node. Its engines outlive it.",
      discussion: """
        Exit code \(AgentProgram.NodeRemoved.exitCode) says that the node was removed: its engines \
        are stopped, and to be started again the agent needs a new join token.
        """)

    @Option(
      help: "Address of a wharfd; may be given several times.",
      transform: { text in try ServerAddress(text).text })
    var server: [String]
    @Option(help: "Folder of this agent alone.", transform: Paths.named) var data: String
    @Option(help: "What the node is called.") var name: String
    @Option(help: "File with the one-time join token; needed once.", transform: Paths.named)
    var joinTokenFile: String?
    @Option(
      help: """
        Run engines as this user, who cannot read the agent's folder. Needs an agent that runs as \
        root.
        """) var engineUser: String?
    @Option(help: "Where engines bind and gateways reach them.") var address = "127.0.0.1"
    @Option(help: "Ports for engines.") var portRange = "9000-9999"
    @Option(help: "auto, none, or simulated ones such as 4xH100-80G.") var devices = "auto"
    @Option(
      help: "The program that lists the devices, in place of nvidia-smi.", transform: Paths.named)
    var deviceTool: String?
    @Option(
      name: [.customLong("device-look"), .customLong("device-look-seconds")],
      help: ArgumentHelp(
        "How often the devices are looked at; \(AgentProgram.Options.usualDeviceLookSeconds)s when absent.",
        valueName: "time"),
      transform: Lengths.whole(.seconds, in: 1...86_400))
    var deviceLook = Span(AgentProgram.Options.usualDeviceLookSeconds, .seconds)
    @Option(help: "Processors to offer, as 8 or 7500m; all by default.", transform: Self.cpu)
    var cpu: CPU?
    @Option(
      help: "Memory to offer, as 64GiB; all by default.", transform: Self.bytes)
    var memory: Bytes?

    @Sendable private static func bytes(_ text: String) throws -> Bytes {
      let bytes = try Bytes(text)
      guard bytes > .zero else { throw Malformed("a node offers more than no memory") }
      return bytes
    }

    /// Thousandths were plain numbers here once: so many processors no machine has.
    private static let mostCPU = CPU(millis: 2_000_000)

    @Sendable private static func cpu(_ text: String) throws -> CPU {
      let cpu = try CPU(text)
      guard cpu.millis > 0, cpu.millis <= mostCPU.millis else {
        throw Malformed(
          "a node offers more than 0 and at most \(mostCPU) processors; thousandths read \(text)m")
      }
      return cpu
    }

    func validate() throws {
      guard !server.isEmpty else { throw ValidationError("name a --server") }
      do { _ = try options() } catch let malformed as Malformed {
        throw ValidationError(malformed.description)
      }
    }

    private func options() throws -> AgentProgram.Options {
      let bounds = portRange.split(separator: "-").compactMap { Int($0) }
      guard bounds.count == 2, bounds[0] <= bounds[1], bounds[0] > 0, bounds[1] <= 65535 else {
        throw ValidationError("'\(portRange)' is no range of ports: write 9000-9999")
      }
      var chosen = try DeviceChoice(devices)
      if let deviceTool {
        guard chosen.isLookedAt else {
          throw ValidationError("--device-tool lists devices, and --devices names them already")
        }
        chosen = .automatic(tool: deviceTool)
      }
      var options = AgentProgram.Options(
        servers: server, data: data, name: try Name(name), joinTokenFile: joinTokenFile,
        address: address, ports: bounds[0]...bounds[1], devices: chosen,
        cpuMillis: cpu?.millis ?? MachineFacts.cpuMillis,
        memoryBytes: memory?.count ?? MachineFacts.memoryBytes)
      options.engineUser = try engineUser.map { try EngineUser(named: $0) }
      options.deviceLookSeconds = try deviceLook.whole(.seconds)
      return options
    }

    func run() async throws {
      Hangup.stops()
      let log = WharfAgent.logger()
      let program = AgentProgram(try options(), log: log)
      do {
        try await ShutdownSignal.run { try await program.run() }
      } catch let removed as AgentProgram.NodeRemoved {
        log.critical("\(removed)")
        throw ExitCode(AgentProgram.NodeRemoved.exitCode)
      }
    }
  }

  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what the agent of a folder sees: its control plane, its disk, its devices.")

    @Option(help: "The agent's folder.", transform: Paths.named) var data: String

    func run() throws {
      guard let status = try DataFolder(existing: data).status() else {
        throw ValidationError("no agent of \(data) has said anything yet")
      }
      let isRunning = kill(pid_t(status.pid), 0) == 0
      print("\(status.node): \(status.engines) engine\(status.engines == 1 ? "" : "s")")
      print("agent: process \(status.pid)\(isRunning ? "" : ", which is gone")")
      print("control plane: \(status.alarm ?? status.refusal ?? "heard")")
      for trouble in status.troubles { print("trouble: \(trouble)") }
    }
  }

  struct Digest: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the digest of weights, for 'wharf model add-version --weights'.",
      discussion: """
        Of a file it is the SHA-256. Of a folder it is that of the list which this prints there: \
        find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        """)

    @Argument(help: "A file, or a folder.", transform: Paths.named) var path: String

    func run() throws {
      var reader = WeightsReader()
      print(try reader.digest(of: path).description)
    }
  }

  struct StopEngines: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stop all engines that an agent left, and wait until they are gone.")

    @Option(help: "The agent's folder.", transform: Paths.named) var data: String

    func run() async throws {
      signal(SIGPIPE, SIG_IGN)
      let stopped = try await AgentProgram.stopEngines(data: data, log: WharfAgent.logger())
      print("stopped \(stopped.count) engine\(stopped.count == 1 ? "" : "s")")
    }
  }

  struct AcceptLog: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let the agent be steered by another log than the one it saw.",
      discussion: """
        For after a restore or a recovery of the control plane's database, once a person has made \
        sure that the log it has now is the right one. Stop the agent first.
        """)

    @Option(help: "The agent's folder.", transform: Paths.named) var data: String

    func run() throws {
      let folder = try DataFolder(existing: data)
      let lock = try DataLock(folder)
      try withExtendedLifetime(lock) { try folder.forgetWhatWasSeen() }
    }
  }

  private static func logger() -> Logger {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    return Logger(label: "wharf-agent")
  }
}
