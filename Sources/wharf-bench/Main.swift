// wharf-bench: how fast Wharf is, beside what bounds it and what else there is.

import ArgumentParser
import Bench
import Dispatch
import Glibc
import Hosting
import Machine
import Program

@main
enum Main {
  static func main() async { await Program.run(WharfBench.self) }
}

struct WharfBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wharf-bench", abstract: "Measures Wharf against the limits of its machine.",
    version: "wharf-bench \(Program.version)",
    subcommands: [Log.self, Scale.self])
}

struct Log: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The event log: appends, views, reads, proof and start.",
    discussion: """
      All arms run in one run on one cluster, by default a private one with fsync on that is made for \
      it. What was acknowledged is compared with what is stored after every pass; an arm that missed, \
      doubled or reordered an event is void, and the exit code 1.
      """)

  @Flag(help: "Print one JSON object; everything else goes to standard error.")
  var json = false

  @Option(help: "Events of the long log that is read, folded, verified and started on.")
  var events = 200_000

  @Option(
    name: [.customLong("time"), .customLong("seconds")],
    help: ArgumentHelp(
      "How long each append arm takes in each pass; 3s when absent.", valueName: "time"),
    transform: Lengths.whole(.milliseconds, in: 1...86_400_000))
  var time = Span(3, .seconds)

  @Option(help: "Rounds; each passes through all arms forwards, then backwards.")
  var rounds = 2

  @Option(help: "A server to use instead of a private cluster, as postgres://…")
  var postgres: String?

  @Option(
    help: "Only these arms, with commas between: \(LogBench.armNames.joined(separator: ", ")).")
  var arms: String?

  @Option(
    help: """
      A peer to measure as well: message-db=URL or FOLDER (a database that has it, or its release's \
      folder with install.sh), or eventsourcing[=PYTHON] (from PyPI into a temporary environment, or \
      an interpreter that has it). May be given again.
      """)
  var peer: [String] = []

  func validate() throws {
    guard events > 0, rounds > 0 else {
      throw ValidationError("events and rounds must be above zero")
    }
    for name in chosen
    where !LogBench.armNames.contains(name) && !name.hasPrefix("message-db")
      && name != "eventsourcing"
    {
      throw ValidationError("there is no arm '\(name)'")
    }
    _ = try settings()
  }

  private var chosen: [String] { arms?.split(separator: ",").map(String.init) ?? [] }

  private func settings() throws -> LogBench.Settings {
    var settings = LogBench.Settings()
    settings.events = events
    settings.seconds = time.seconds
    settings.rounds = rounds
    settings.arms = chosen
    settings.wharfd = Self.neighbour("wharfd")
    for peer in peer {
      let parts = peer.split(separator: "=", maxSplits: 1).map(String.init)
      switch parts[0] {
      case "message-db" where parts.count == 2: settings.messageDB = parts[1]
      case "eventsourcing":
        settings.eventsourcing = true
        settings.python = parts.count == 2 ? parts[1] : nil
      default:
        throw ValidationError("'\(peer)' is no peer: message-db=URL, or eventsourcing")
      }
    }
    return settings
  }

  /// The program of this name beside this one.
  private static func neighbour(_ name: String) -> String? {
    guard let folder = OwnProgram.folder else { return nil }
    let path = "\(folder)/\(name)"
    return access(path, X_OK) == 0 ? path : nil
  }

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    let cluster = try postgres.map { try Cluster.existing($0) } ?? Cluster.made()
    let interrupts = [SIGINT, SIGTERM].map { Interrupt.remove(cluster, on: $0) }
    defer { for interrupt in interrupts { interrupt.cancel() } }
    let json = json
    let report: Report
    do {
      report = try await LogBench(try settings(), on: cluster) { line in
        Console.say(line, on: json ? STDERR_FILENO : STDOUT_FILENO)
      }.run()
    } catch {
      cluster.remove()
      throw error
    }
    cluster.remove()
    Console.say(json ? report.json : "\n" + report.table, on: STDOUT_FILENO)
    for arm in report.voided where json {
      Console.say("VOID \(arm.name): \(arm.faults.joined(separator: "; "))", on: STDERR_FILENO)
    }
    if !report.voided.isEmpty { throw ExitCode.failure }
  }
}

enum Console {
  static func say(_ text: String, on descriptor: Int32) {
    var bytes = Array((text + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

}

enum Interrupt {
  /// A run that is interrupted leaves no server and no files behind.
  static func remove(_ cluster: Cluster, on number: Int32) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      cluster.remove()
      Glibc.exit(128 + number)
    }
    source.resume()
    return source
  }
}
