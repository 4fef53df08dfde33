// The programs of a system and what each is started with.

import Glibc
import Machine

/// Our own programs: beside the one that runs now.
struct Programs: Hashable, Sendable {
  let folder: String

  static func find(_ settings: SystemSettings) throws(UpFailure) -> Programs {
    let programs = try here()
    var needed = ["wharfd"]
    if settings.gateway { needed.append("wharf-gateway") }
    if settings.nodes > 0 { needed += ["wharf-agent", "wharf-holder"] }
    let missing = needed.filter { access(programs.path($0), X_OK) != 0 }
    guard missing.isEmpty else {
      throw UpFailure(
        "cannot find \(missing.joined(separator: ", ")) beside \(programs.path("wharf"))",
        help: "build all of them (swift build), or install them into one folder")
    }
    return programs
  }

  static func here() throws(UpFailure) -> Programs {
    guard let folder = OwnProgram.folder else {
      throw UpFailure("cannot find the folder of this program: \(Files.reason(errno))")
    }
    return Programs(folder: folder)
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }
}

struct SystemParts: Sendable {
  private static let wharfdLimitSeconds = 600
  private static let gatewayLimitSeconds = 60
  private static let agentLimitSeconds = 60
  private static let firstStarts = 3
  /// Requests in flight get this long when the gateway is told to end; `Part.Kind` waits longer.
  private static let drainSeconds = 5

  let layout: Layout
  let settings: SystemSettings
  let programs: Programs
  let database: Database

  /// In the order in which they are started.
  var all: [Part] {
    [database.part, wharfd] + (settings.gateway ? [gateway] : [])
      + settings.nodeNames.enumerated().map { agent($0.element, number: $0.offset) }
  }

  var wharfd: Part {
    let database = ["WHARF_DATABASE_URL": database.url]
    let client = ControlClient(url: settings.apiURL)
    let tokenFile = layout.adminToken
    return Part(
      name: Part.wharfd, title: "wharfd",
      command: command(
        [
          programs.path("wharfd"), "run", "--listen", "\(Ports.address):\(settings.apiPort)",
          "--secret-file", layout.clusterSecret, "--admin-token-file", tokenFile,
        ], particular: database),
      readyLimitSeconds: Self.wharfdLimitSeconds, firstStarts: Self.firstStarts
    ) { _ in
      guard await client.isHealthy() else { return .notYet("it does not answer yet") }
      return Files.exists(tokenFile) ? .ready : .notYet("it has not made the admin token yet")
    }
  }

  var gateway: Part {
    let client = ControlClient(url: settings.gatewayURL)
    return Part(
      name: Part.gateway, title: "gateway",
      command: command([
        programs.path("wharf-gateway"), "run", "--server", settings.apiURL,
        "--listen", "\(Ports.address):\(settings.gatewayPort)",
        "--credential-file", layout.gatewayCredential, "--drain-seconds", "\(Self.drainSeconds)",
      ]),
      readyLimitSeconds: Self.gatewayLimitSeconds, firstStarts: Self.firstStarts
    ) { _ in
      await client.isHealthy() ? .ready : .notYet("it has no policy yet")
    }
  }

  func agent(_ node: String, number: Int) -> Part {
    let ports = settings.enginePorts(node: number)
    let layout = layout
    return Part(
      name: Part.agent(node), node: node, title: "agent of \(node)",
      command: command([
        programs.path("wharf-agent"), "run", "--server", settings.apiURL,
        "--data", layout.agent(node), "--name", node, "--join-token-file", layout.joinToken(node),
        "--address", Ports.address, "--port-range", "\(ports.lowerBound)-\(ports.upperBound)",
        "--devices", settings.devices,
      ]),
      readyLimitSeconds: Self.agentLimitSeconds, firstStarts: Self.firstStarts
    ) { process in
      guard Enrolment.hasJoined(layout, node) else { return .notYet("it has not joined yet") }
      return Enrolment.isServing(layout, node, process)
        ? .ready : .notYet("wharfd has not answered it yet")
    }
  }

  private func command(_ line: [String], particular: [String: String] = [:]) -> Command {
    Command(
      line: line,
      environment: Environment.forPrograms(layout).merging(particular) { $1 },
      particular: particular, folder: layout.data)
  }
}
