// Brings a system up and keeps it up: starts its programs in order, takes over those that a
// supervisor before it left running, and starts again what ends.
//
// It ends nothing by ending: killed at any moment, it leaves every program running and recorded.
// What is stopped on purpose is stopped by Shutdown.

import Glibc
import Machine
import Synchronization
import Time

final class Supervisor: Sendable {
  private static let lookMilliseconds = 50
  private static let sayAfterSeconds = 5
  private static let rotateSeconds = 10

  private let layout: Layout
  private let parts: SystemParts
  private let launcher: Launcher
  private let report: Report
  /// What this supervisor started, to be stopped when the rest does not come up.
  private let started = Mutex<Set<String>>([])

  init(_ parts: SystemParts, lock: SupervisorLock, report: @escaping Report) {
    layout = parts.layout
    self.parts = parts
    launcher = Launcher(layout: parts.layout, lock: lock)
    self.report = report
  }

  private enum Outcome {
    case told(Word)
    case failed(any Error)
  }

  /// Until it is told a word, or the system did not come up; then what was started is stopped
  /// again.
  func run(_ words: Words, whenReady: @escaping @Sendable () -> Void) async throws -> Word {
    let outcome = await withTaskGroup(of: Outcome.self) { group in
      group.addTask { .told(await words.next() ?? .letGo) }
      group.addTask {
        do {
          try await self.bringUp(whenReady)
          return .told(.letGo)
        } catch {
          return .failed(error)
        }
      }
      let first = await group.next() ?? .told(.letGo)
      group.cancelAll()
      return first
    }
    switch outcome {
    case .told(let word): return word
    case .failed(let error):
      let shutdown = Shutdown(layout: layout, programs: parts.programs, report: report)
      await shutdown.stop(started.withLock { $0 })
      unlink(layout.status)
      throw error
    }
  }

  /// Returns only when cancelled.
  private func bringUp(_ whenReady: @escaping @Sendable () -> Void) async throws {
    try setPhase(.starting)
    try await clearWay()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.keepLogsShort() }
      try await start(parts.database.part, &group)
      try await start(parts.wharfd, &group)
      try await enrol()
      // They do not depend on each other.
      let rest = parts.all.dropFirst(2)
      let running = try await withThrowingTaskGroup(of: (Part, RunningProcess).self) { starts in
        for part in rest { starts.addTask { (part, try await self.start(part)) } }
        return try await starts.reduce(into: []) { $0.append($1) }
      }
      for (part, process) in running { group.addTask { await self.keep(part, process) } }
      Enrolment.forgetSpentTokens(layout, parts.settings.nodeNames)
      try setPhase(.ready)
      whenReady()
      try await group.waitForAll()
    }
  }

  private func setPhase(_ phase: SystemStatus.Phase) throws(UpFailure) {
    try SystemStatus(phase: phase, settings: parts.settings).write(layout)
  }

  /// Ends what runs for other settings than those of now, and what was left half done; then makes
  /// the database if there is none.
  private func clearWay() async throws {
    let wanted = Dictionary(uniqueKeysWithValues: parts.all.map { ($0.name, $0.command.digest) })
    let stale = Shutdown.running(layout).filter { wanted[$0.name] != $0.record.commandDigest }
    if !stale.isEmpty {
      let shutdown = Shutdown(layout: layout, programs: parts.programs, report: report)
      await shutdown.stop(Set(stale.map(\.name)))
    }
    try SocketFolder.make(parts.database.socketFolder, for: parts.database.programs.user)
    guard Database.version(layout) == nil else { return }
    let title = "PostgreSQL \(parts.database.programs.version)"
    let step = Step("\(title) makes its files", report)
    try await parts.database.create(launcher)
    step.done("\(title) made its files")
  }

  private var enrolment: Enrolment {
    Enrolment(layout: layout, client: ControlClient(url: parts.settings.apiURL))
  }

  private func enrol() async throws {
    Enrolment.forgetSpentTokens(layout, parts.settings.nodeNames)
    if parts.settings.gateway { try await enrolment.registerGateway() }
    try await enrolment.issueJoinTokens(parts.settings.nodeNames)
  }

  // MARK: - One program

  private func start(_ part: Part, _ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
    let process = try await start(part)
    group.addTask { await self.keep(part, process) }
  }

  /// Until it is ready for the first time.
  private func start(_ part: Part) async throws -> RunningProcess {
    let step = Step("\(part.title) starts", report)
    if let process = adopted(part), try await isReady(part, process) {
      step.done("\(part.title) runs on")
      return process
    }
    var restarts = Restarts()
    var last: RunningProcess.Ending?
    try await joinAgain(part)
    for attempt in 1...part.firstStarts {
      if attempt > 1 { try await clocks.sleep(for: restarts.pause(afterRunning: .zero)) }
      try Task.checkCancellation()
      _ = started.withLock { $0.insert(part.name) }
      let process = try launcher.start(part.name, part.command)
      if try await isReady(part, process) {
        step.done("\(part.title) is ready")
        return process
      }
      last = await process.ended()
      try await joinAgain(part)
    }
    throw failure(part, "it \(last ?? .unknown)")
  }

  /// An agent forgets its node when that was removed. A person who asks for a system with this node wants it
  /// all the same: it becomes a new one of that name.
  private func joinAgain(_ part: Part) async throws {
    guard let node = part.node, Enrolment.wasRemoved(layout, node) else { return }
    note("\(node) was removed; it joins again, as a new node", report)
    try await enrolment.issueJoinTokens([node])
  }

  /// The one that runs already, with the command that we would start it with.
  private func adopted(_ part: Part) -> RunningProcess? {
    guard let record = ProcessRecord(file: layout.record(part.name)),
      record.commandDigest == part.command.digest
    else { return nil }
    return RunningProcess(record)
  }

  /// - Returns: false when it ended first.
  /// - Throws: when it was not ready in time.
  private func isReady(_ part: Part, _ process: RunningProcess) async throws -> Bool {
    let start = clocks.now
    var nextWord = Duration.seconds(Self.sayAfterSeconds)
    while !process.isOver {
      let readiness = await part.readiness(process)
      let elapsed = clocks.now - start
      switch readiness {
      case .ready:
        // What answered may have been another program.
        if !process.isOver { return true }
      case .failed(let failure): throw failure
      case .notYet(let reason):
        guard elapsed < .seconds(part.readyLimitSeconds) else {
          throw failure(
            part,
            "it was not ready within \(part.readyLimitSeconds) s"
              + (reason.map { ": \($0)" } ?? ""), code: .timedOut)
        }
        if elapsed >= nextWord {
          note("\(part.title): \(reason ?? "not ready yet"), \(Int(elapsed.inSeconds)) s", report)
          nextWord *= 2
        }
      }
      try await clocks.sleep(for: .milliseconds(Self.lookMilliseconds))
    }
    return false
  }

  /// Starts it again whenever it ends, until cancelled.
  private func keep(_ part: Part, _ first: RunningProcess) async {
    var process = first
    var since = clocks.now
    var restarts = Restarts()
    while let ending = await process.ended() {
      if let node = part.node, Enrolment.wasRemoved(layout, node) {
        return note(
          "\(node) was removed: its agent ended, and is not started again. "
            + Enrolment.howToBringBack, report)
      }
      let pause = restarts.pause(afterRunning: clocks.now - since)
      note(
        "\(part.title) \(ending); it is started again in \(pause.inSeconds.oneDecimal) s", report)
      guard (try? await clocks.sleep(for: pause)) != nil else { return }
      since = clocks.now
      do {
        process = try launcher.start(part.name, part.command)
        let step = Step("\(part.title) starts again", report)
        if try await isReady(part, process) { step.done("\(part.title) is ready again") }
      } catch is CancellationError {
        return
      } catch {
        // It may still come: whether it runs is all that matters here.
        note("\(error)", report)
      }
    }
  }

  private func failure(
    _ part: Part, _ reason: String, code: UpFailure.Code = .failed
  ) -> UpFailure {
    let log = layout.log(part.name)
    let said = Files.tailWithoutRepetition(log).map { "\n    \($0)" }.joined()
    return UpFailure(
      "cannot bring up \(part.title): \(reason)\(said)", help: "its log: \(log)", code: code)
  }

  private func keepLogsShort() async {
    while (try? await clocks.sleep(for: .seconds(Self.rotateSeconds))) != nil {
      LogFiles.keepShort(layout)
    }
  }
}
