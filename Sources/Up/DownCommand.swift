// `wharf down`: stops a system and leaves its data.

import ArgumentParser
import Glibc
import Machine
import Time

package struct DownCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "down",
    abstract: "Stop the system that 'wharf up' brought up, engines too; its data stays.",
    discussion: """
      Works whether its supervisor runs, was killed, or is still starting. Without --data it is the \
      one that runs; where several do, name one.

      Example: wharf down
      """)

  @Option(help: "The folder that 'wharf up' was given.")
  var data: String?

  package init() {}

  package func validate() throws {
    // It would be the folder that one happens to be in.
    if data?.isEmpty == true { throw ValidationError("--data needs the name of a folder") }
  }

  package func run() async throws {
    signal(SIGPIPE, SIG_IGN)
    do {
      try await Down(data: data).run()
    } catch let failure as UpFailure {
      Console.complain(failure)
      throw ExitCode(Int32(failure.code.rawValue))
    }
  }
}

struct Down: Sendable {
  /// A supervisor that is asked to let go has nothing to wait for.
  private static let letGoSeconds = 10
  private static let otherDownSeconds = 300
  private static let looks: Duration = .milliseconds(50)

  let data: String?

  func run() async throws {
    let running = data == nil ? UpFile.running() : []
    guard running.count < 2 else {
      throw UpFailure(
        "cannot tell which system to stop: \(UpFile.ambiguity(running))",
        help: "choose one: wharf down --data DIR", code: .usage)
    }
    let layout = Layout.named(data ?? running.first?.data)
    guard Files.isFolder(layout.run) else {
      Console.say("Nothing runs: there is no system in \(layout.data).")
      return
    }
    guard access(layout.run, W_OK | X_OK) == 0 else {
      throw Files.failure("stop the system in \(layout.data): write to", layout.run)
    }
    let console = Console()
    let turning = Task { await console.keepTurning() }
    defer { turning.cancel() }
    let lock = try await takeOver(layout, console.show)
    defer { lock.release() }
    let shutdown = Shutdown(layout: layout, programs: try Programs.here(), report: console.show)
    let any = try await shutdown.run()
    Console.say(
      any
        ? "Wharf is down; its data stays in \(layout.data)."
        : "Nothing runs of the system in \(layout.data).")
  }

  /// Gets the lock: its supervisor, if there is one, is told to end and leave everything to us.
  private func takeOver(_ layout: Layout, _ report: @escaping Report) async throws -> SupervisorLock
  {
    let start = clocks.now
    var asked: RunningProcess?
    var step: Step?
    while true {
      let holder: SupervisorLock.Holder?
      switch try SupervisorLock.take(layout, as: .down) {
      case .taken(let lock):
        step?.done("supervisor stopped")
        return lock
      case .held(let found): holder = found
      }
      let waited = clocks.now - start
      if let holder, holder.role == .up, asked?.record != holder.process {
        step = step ?? Step("supervisor stops", report)
        asked = RunningProcess(holder.process)
        asked?.send(Words.letGoSignal)
        asked?.send(SIGCONT)
      } else if waited > .seconds(Self.letGoSeconds) {
        asked?.send(SIGKILL)
      }
      guard waited < .seconds(Self.otherDownSeconds) else {
        throw UpFailure(
          "cannot stop the system in \(layout.data): another wharf is at it"
            + (holder.map { " (pid \($0.process.pid))" } ?? ""), code: .timedOut)
      }
      try await clocks.sleep(for: Self.looks)
    }
  }
}
