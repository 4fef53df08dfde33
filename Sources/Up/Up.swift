// What `wharf up` does: finds out whether the system runs already, and if not becomes its
// supervisor, or starts one in the background and waits for its word.

import Glibc
import Machine
import Time
import Wire

struct Up: Sendable {
  private static let otherStartSeconds = 600
  private static let otherStopSeconds = 300
  private static let looks: Duration = .milliseconds(100)

  let command: UpCommand

  init(_ command: UpCommand) { self.command = command }

  func run() async throws {
    let reporter = Reporter(descriptor: command.progressDescriptor)
    do {
      try await run(reporter)
    } catch let failure as UpFailure {
      reporter.report(.failure(failure))
      throw failure
    }
  }

  private func run(_ reporter: Reporter) async throws {
    let wanted = Layout.named(command.data)
    // Before anything is made: what is asked for may be nonsense.
    let settings = try command.settings(
      over: SystemSettings.read(wanted) ?? SystemSettings(wanted))
    // A new system that cannot be brought up leaves nothing behind, not even its folder. Of one that
    // was made this is found later: its own programs may have the ports.
    if !Files.exists(wanted.settings) { _ = try found(wanted, settings) }
    let layout = try DataFolder.prepare(wanted)
    guard let lock = try await takeLock(layout) else {
      return try await sayThatItRuns(layout, reporter)
    }
    if command.detach && command.progressDescriptor == nil {
      try Background.start(command, layout, letGo: lock)
    } else {
      try await supervise(layout, settings, lock, reporter)
    }
  }

  private func supervise(
    _ layout: Layout, _ settings: SystemSettings, _ lock: SupervisorLock, _ reporter: Reporter
  ) async throws {
    let words = Words(hasTerminal: command.progressDescriptor == nil)
    let parts = try prepared(layout, settings)
    reporter.begin("Wharf comes up in \(layout.data)")
    let start = clocks.now
    let turning = Task { await reporter.keepTurning() }
    defer { turning.cancel() }
    let supervisor = Supervisor(parts, lock: lock, report: reporter.report)
    let word = try await supervisor.run(words) {
      do { try UpFile(layout, settings).write() } catch { note("\(error)", reporter.report) }
      let seconds = (clocks.now - start).inSeconds.oneDecimal
      reporter.ready(layout, settings, "Wharf is up after \(seconds) s.")
    }
    switch word {
    case .letGo: note("taken over by another wharf", reporter.report)
    case .stop:
      reporter.begin("Wharf goes down")
      try? SystemStatus(phase: .stopping, settings: settings).write(layout)
      _ = try await Shutdown(layout: layout, programs: parts.programs, report: reporter.report)
        .run()
      reporter.begin("Wharf is down; its data stays in \(layout.data)")
    }
  }

  private func prepared(_ layout: Layout, _ settings: SystemSettings) throws(UpFailure)
    -> SystemParts
  {
    let parts = try found(layout, settings)
    try settings.write(layout)
    return parts
  }

  /// Everything that can be known to fail is found before anything is started.
  private func found(_ layout: Layout, _ settings: SystemSettings) throws(UpFailure) -> SystemParts
  {
    let programs = try Programs.find(settings)
    let postgres = try PostgresPrograms.find(
      named: command.postgres, dataVersion: Database.version(layout))
    try DataFolder.requireEntry(layout, for: postgres.user)
    let ours = Set(Shutdown.running(layout).map(\.record.pid))
    try Ports.requireFree(settings.apiPort, for: "API", flag: "--api-port", ours: ours)
    if settings.gateway {
      try Ports.requireFree(
        settings.gatewayPort, for: "gateway", flag: "--gateway-port", ours: ours)
    }
    return SystemParts(
      layout: layout, settings: settings, programs: programs,
      database: Database(layout: layout, programs: postgres))
  }

  // MARK: - When another wharf tends this folder

  /// - Returns: none when a supervisor has it.
  private func takeLock(_ layout: Layout) async throws -> SupervisorLock? {
    let deadline = clocks.now + .seconds(Self.otherStopSeconds)
    while true {
      switch try SupervisorLock.take(layout, as: .up) {
      case .taken(let lock): return lock
      case .held(let holder):
        if let holder, holder.role == .up, holder.process.pid != getpid() { return nil }
        // It goes down, or its supervisor died while it started a program.
        guard clocks.now < deadline else {
          throw UpFailure(
            "cannot bring up \(layout.data): another wharf has been at it for "
              + "\(Self.otherStopSeconds) s" + (holder.map { " (pid \($0.process.pid))" } ?? ""),
            code: .timedOut)
        }
      }
      try await clocks.sleep(for: Self.looks)
    }
  }

  /// Waits until that one is done, and says what runs.
  private func sayThatItRuns(_ layout: Layout, _ reporter: Reporter) async throws {
    let deadline = clocks.now + .seconds(Self.otherStartSeconds)
    while clocks.now < deadline {
      guard let holder = SupervisorLock.holder(layout), holder.role == .up else {
        throw UpFailure(
          "the system in \(layout.data) was being started or stopped by another wharf, and is not up",
          help: "see \(layout.log(Background.logName)), and call wharf up again")
      }
      if let status = SystemStatus.read(layout), status.phase == .ready {
        let wanted = try command.settings(over: status.settings)
        guard wanted == status.settings else {
          throw UpFailure(
            "the system in \(layout.data) runs already, with other settings than asked for: "
              + status.settings.differences(from: wanted).joined(separator: ", "),
            help: "stop it first: wharf down --data \(Shell.quoted(layout.data))")
        }
        // A person who comes from another environment finds it from there on, too.
        do { try UpFile(layout, status.settings).write() } catch {
          note("\(error)", reporter.report)
        }
        for node in status.settings.nodeNames where Enrolment.wasRemoved(layout, node) {
          note(
            "\(node) was removed, and has no agent. \(Enrolment.howToBringBack)", reporter.report)
        }
        reporter.ready(
          layout, status.settings, "Wharf is already running (pid \(holder.process.pid)).")
        return
      }
      try await clocks.sleep(for: Self.looks)
    }
    throw UpFailure(
      "the system in \(layout.data) is being started by another wharf, and was not ready within "
        + "\(Self.otherStartSeconds) s", code: .timedOut)
  }
}
