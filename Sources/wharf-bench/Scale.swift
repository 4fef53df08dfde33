// `wharf-bench scale`: what a large world costs.

import ArgumentParser
import Bench
import Dispatch
import Glibc
import Hosting
import Machine

struct Scale: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A large world: what each thing costs there, and in a tenth of it.",
    discussion: """
      Makes a world as a log, starts a wharfd and three gateways on it, and measures. The whole world \
      takes some minutes and some 8 GB of disk; --share makes a smaller one.
      """)

  @Flag(help: "Print one JSON object; everything else goes to standard error.")
  var json = false

  @Option(help: "The part of the whole world to make, above 0 and up to 1.")
  var share = 1.0

  @Flag(help: "Leave out the tenth of it that costs are compared with.")
  var alone = false

  func validate() throws {
    guard share > 0, share <= 1 else { throw ValidationError("--share is above 0 and up to 1") }
  }

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    var files = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 {
      files.rlim_cur = files.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    }
    guard let folder = OwnProgram.folder,
      ["wharfd", "wharf-gateway"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 })
    else { throw ValidationError("there are no wharfd and wharf-gateway beside this program") }
    let cluster = try Cluster.made()
    let interrupts = [SIGINT, SIGTERM].map { Interrupt.remove(cluster, on: $0) }
    defer { for interrupt in interrupts { interrupt.cancel() } }
    var settings = ScaleBench.Settings()
    settings.size = ScaleSize().scaled(by: share)
    if alone { settings.smallShare = nil }
    settings.programs = folder
    let json = json
    let report: ScaleReport
    do {
      report = try await ScaleBench(settings, on: cluster) { line in
        Console.say(line, on: json ? STDERR_FILENO : STDOUT_FILENO)
      }.run()
    } catch {
      cluster.remove()
      throw error
    }
    cluster.remove()
    Console.say(json ? report.json : "\n" + report.table, on: STDOUT_FILENO)
  }
}
