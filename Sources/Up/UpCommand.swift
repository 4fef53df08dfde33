// `wharf up`: a whole system on one machine.

import ArgumentParser
import Glibc

package struct UpCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Bring up a whole system on this machine.",
    discussion: """
      A private PostgreSQL, wharfd, a gateway and the agents of some nodes, all below one data folder \
      and on the loopback address. What was asked for is kept: a later 'wharf up' without flags brings \
      the same system up again, with nothing lost. Programs that end are started again.

      In the foreground, Ctrl-C stops everything, engines too. With --detach it returns once all is \
      ready. Several systems live side by side with --data, --api-port and --gateway-port.

      Example: wharf up --nodes 2 --devices 4xH100-80G --detach
      """)

  @Option(
    help: "Folder of everything that is kept; /var/lib/wharf as root, else ~/.local/share/wharf.")
  var data: String?
  @Option(help: "Port of the API. (default: 7400)") var apiPort: Int?
  @Option(help: "Port of the gateway. (default: 7480)") var gatewayPort: Int?
  @Option(help: "How many nodes. (default: 1)") var nodes: Int?
  @Option(
    help: "Devices of each node: auto, none, or simulated ones such as 4xH100-80G. (default: auto)")
  var devices: String?
  @Flag(inversion: .prefixedNo, help: "Whether to run a gateway. (default: --gateway)")
  var gateway: Bool?
  @Option(help: "Ports for engines, shared out among the nodes, such as 20000-20999.")
  var enginePorts: String?
  @Option(help: "Folder of PostgreSQL's programs; found by itself where it usually is.")
  var postgres: String?
  @Flag(help: "Return when all is ready, and go on in the background.")
  var detach = false

  /// We ourselves, in the background: progress goes to this descriptor.
  @Option(help: .hidden) var progressDescriptor: Int32?

  package init() {}

  package func validate() throws {
    // It would be the folder that one happens to be in.
    if data?.isEmpty == true { throw ValidationError("--data needs the name of a folder") }
  }

  package func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    do {
      try await Up(self).run()
    } catch let failure as UpFailure {
      // A supervisor in the background has said it through its pipe, and in its log.
      if progressDescriptor == nil { Console.complain(failure) }
      throw ExitCode(Int32(failure.code.rawValue))
    }
  }

  /// What this call asks for, on top of what the system was asked for before.
  func settings(over known: SystemSettings) throws(UpFailure) -> SystemSettings {
    var settings = known
    if let apiPort { settings.apiPort = apiPort }
    if let gatewayPort { settings.gatewayPort = gatewayPort }
    if let gateway { settings.gateway = gateway }
    if let nodes { settings.nodes = nodes }
    if let devices { settings.devices = devices }
    if let enginePorts {
      let bounds = enginePorts.split(separator: "-").map { Int($0) ?? 0 }
      guard bounds.count == 2 else {
        throw UpFailure("--engine-ports must be like 20000-20999", code: .usage)
      }
      (settings.firstEnginePort, settings.lastEnginePort) = (bounds[0], bounds[1])
    }
    if let problem = settings.problem() { throw UpFailure(problem, code: .usage) }
    return settings
  }
}
