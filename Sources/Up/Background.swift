// `wharf up --detach`: a supervisor in a session of its own, and the wait for its word.

import CLinux
import Glibc
import Hosting
import Machine

enum Background {
  static let logName = "supervisor"
  private static let longestLineBytes = 1 << 16

  /// Starts a supervisor and shows its progress until all is ready.
  ///
  /// - Parameter lock: let go just before, so that the supervisor can take it.
  static func start(
    _ command: UpCommand, _ layout: Layout, letGo lock: SupervisorLock
  ) throws(UpFailure) {
    var ends: [Int32] = [-1, -1]
    guard wharf_pipe(&ends) == 0 else {
      throw UpFailure("cannot make a pipe: \(Files.reason(errno))")
    }
    defer { close(ends[0]) }
    Console.say("Wharf comes up in \(layout.data)")
    let wharf = try Programs.here().path("wharf")
    // A program that was replaced since it began is not there any more.
    let program = OwnProgram.path.flatMap { Files.exists($0) ? $0 : nil } ?? wharf
    var environment = Environment.own
    environment[Environment.mark] = layout.data
    lock.release()
    do {
      _ = try Launcher.spawn(
        [program, "up", "--data", layout.data]
          + arguments(command)
          + ["--progress-descriptor", "\(ProgramStart.inheritedDescriptor)"],
        environment: environment, log: layout.log(logName), inherited: ends[1])
    } catch {
      close(ends[1])
      throw UpFailure("cannot start \(wharf) in the background: \(error.reason)")
    }
    close(ends[1])
    try follow(ends[0], layout)
  }

  private static func arguments(_ command: UpCommand) -> [String] {
    var arguments: [String] = []
    func pass(_ flag: String, _ value: String?) {
      if let value { arguments += [flag, value] }
    }
    pass("--api-port", command.apiPort.map { "\($0)" })
    pass("--gateway-port", command.gatewayPort.map { "\($0)" })
    pass("--nodes", command.nodes.map { "\($0)" })
    pass("--devices", command.devices)
    pass("--engine-ports", command.enginePorts)
    pass("--postgres", command.postgres)
    if let gateway = command.gateway { arguments.append(gateway ? "--gateway" : "--no-gateway") }
    return arguments
  }

  /// Until it is ready, failed, or gone.
  private static func follow(_ descriptor: Int32, _ layout: Layout) throws(UpFailure) {
    let console = Console()
    var waiting: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while waiting.count < longestLineBytes {
      var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      console.turn()
      let tick = Int32(Console.tick / .milliseconds(1))
      guard poll(&wanted, 1, tick) > 0 else { continue }
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      waiting.append(contentsOf: buffer[0..<count])
      while let end = waiting.firstIndex(of: UInt8(ascii: "\n")) {
        let line = try? ProgressLine(jsonBytes: Array(waiting[..<end]))
        waiting.removeSubrange(...end)
        guard let line else { continue }
        console.show(line)
        switch line.kind {
        case .begun, .done, .note: break
        case .failed: throw line.failure
        case .ready:
          let settings = SystemStatus.read(layout)?.settings ?? SystemSettings(layout)
          Console.say(Summary.text(layout, settings, opening: line.text))
          return
        }
      }
    }
    let log = layout.log(logName)
    throw UpFailure(
      "the supervisor ended before all was ready"
        + Files.tail(log).map { "\n    \($0)" }.joined(),
      help:
        "its log: \(log); what it started runs on: go on with wharf up, or stop it with wharf down")
  }
}
