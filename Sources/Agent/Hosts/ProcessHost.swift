// Engines as processes of this machine. Each has a holder as its parent, which outlives the agent,
// so that engines serve on without one and their ends are known even then.
//
// What holds:
//   1. A signal goes through a pidfd whose process's start time was checked: never to a reused pid.
//   2. `gone` is told once, and only when nothing of the attempt lives: by the holder's word, or,
//      without a holder, because neither its group, session nor mark is found on any process.

import Glibc
import Hosting
import Logging
import Machine
import Synchronization
import Time

package final class ProcessHost: Sendable {
  /// What a holder needs beyond the engine's grace before it is taken to be stuck.
  package static let holderMarginSeconds = 10
  /// wharf-holder takes no more.
  static let longestGraceSeconds = 86_400
  package static let longestLogBytes = 64 << 20
  /// A holder that was found at its very start writes its state soon after, or is stuck.
  private static let stateWaitMilliseconds = 10_000
  private static let longestComplaintBytes = 2048

  package enum Event: Equatable, Sendable {
    case running(pid: Int)
    case gone(Gone)
  }

  package struct Gone: Equatable, Sendable {
    package var exitCode: Int?
    package var exitSignal: Int?
    /// What went wrong besides the engine itself.
    package var problem: String?
    /// Its program was executed.
    package var ran: Bool
    /// It ran in an earlier boot of the machine.
    package var machineRestarted = false
  }

  /// Where an attempt keeps its things, and its holder's state at this try.
  package struct Place: Equatable, Sendable {
    package var id: AttemptID
    package var folder: String
    /// Where an engine works that runs as another user.
    package var workFolder: String
    package var statePath: String
    package var logPath: String
  }

  package typealias Listener = @Sendable (Event) -> Void

  private struct Kept {
    var handle: ProcessHandle
    var place: Place
    var tell: Listener
    /// What the holder says before its engine runs; hung up when it does.
    var pipe: Int32?
    var complaint: [UInt8] = []
  }

  private let holderProgram: String
  private let bootID: String
  /// None: engines run as the agent does.
  private let engineUser: EngineUser?
  /// The agent's own.
  private let data: String
  private let clocks: Clocks
  private let log: Logger
  private let watcher: DescriptorWatcher
  private let kept = Mutex<[AttemptID: Kept]>([:])

  package init(
    holderProgram: String, bootID: String, engineUser: EngineUser? = nil, data: String,
    clocks: Clocks = .system, log: Logger
  ) throws(FileProblem) {
    guard access(holderProgram, X_OK) == 0 else {
      throw FileProblem(attempted: "execute", path: holderProgram, code: errno)
    }
    self.holderProgram = holderProgram
    self.bootID = bootID
    self.engineUser = engineUser
    self.data = data
    self.clocks = clocks
    self.log = log
    watcher = try DescriptorWatcher()
  }

  deinit {
    for (_, one) in kept.withLock({ $0 }) { one.pipe.map { _ = close($0) } }
  }

  // MARK: - Starting

  package struct NotStarted: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Starts a holder that starts the engine; what comes of it is told later.
  package func start(
    _ command: EngineCommand, at place: Place, stopGraceSeconds: Int, tell: @escaping Listener
  ) throws(NotStarted) {
    var environment = command.environment
    environment[Remains.folderVariable] = place.folder
    let workFolder = engineUser == nil ? place.folder : place.workFolder
    let arguments =
      [
        "--state", place.statePath, "--log", place.logPath,
        "--log-max-bytes", String(Self.longestLogBytes), "--chdir", workFolder,
        "--stop-grace-seconds", String(Self.grace(stopGraceSeconds)),
      ] + (engineUser?.holderArguments ?? []) + ["--"] + command.arguments
    do {
      if let engineUser {
        environment.merge(engineUser.environment) { own, _ in own }
        try engineUser.makeWorkFolder(workFolder, below: data)
      }
      let (pid, pipe) = try Spawn.start(
        holderProgram, arguments, environment: environment, holdsLock: true)
      // Our child and not yet reaped, so the pid is still its own, even when it ended already.
      guard let status = ProcessTable.status(of: pid), let handle = ProcessHandle(status.identity)
      else {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(pipe)
        throw NotStarted(
          description: "cannot watch the holder: \(String(cString: strerror(errno)))")
      }
      keep(Kept(handle: handle, place: place, tell: tell, pipe: pipe))
    } catch let problem as Spawn.Problem {
      throw NotStarted(description: problem.description)
    } catch let problem as NotStarted {
      throw problem
    } catch {
      throw NotStarted(description: "\(error)")
    }
  }

  private func keep(_ one: Kept) {
    let id = one.place.id
    kept.withLock { $0[id] = one }
    if let pipe = one.pipe { watchPipe(pipe, id) }
    watchExit(one.handle, id)
  }

  private func watchPipe(_ pipe: Int32, _ id: AttemptID) {
    watcher.watch(pipe) { [weak self] in self?.hearPipe(pipe, id) }
  }

  private func watchExit(_ handle: ProcessHandle, _ id: AttemptID) {
    watcher.watch(handle.descriptor) { [weak self] in
      guard let self else { return }
      guard handle.hasEnded else { return watchExit(handle, id) }
      holderEnded(handle, id)
    }
  }

  private func hearPipe(_ pipe: Int32, _ id: AttemptID) {
    let hungUp = kept.withLock { kept -> Bool in
      guard kept[id]?.pipe == pipe else { return false }
      return Self.drain(pipe, into: &kept[id]!.complaint)
    }
    guard hungUp else {
      if kept.withLock({ $0[id]?.pipe == pipe }) { watchPipe(pipe, id) }
      return
    }
    let one = kept.withLock { kept -> Kept? in
      kept[id]?.pipe = nil
      return kept[id]
    }
    close(pipe)
    guard let one, let state = HolderState.read(one.place.statePath), state.phase == .running,
      let engine = state.engine
    else { return }
    one.tell(.running(pid: Int(engine.pid)))
  }

  /// - Returns: whether the other end was closed.
  private static func drain(_ pipe: Int32, into text: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 512)
    while true {
      let count = read(pipe, &buffer, buffer.count)
      if count == 0 { return true }
      if count < 0 { return errno != EAGAIN && errno != EINTR }
      text += buffer[..<min(count, max(0, longestComplaintBytes - text.count))]
    }
  }

  // MARK: - Adopting

  package enum Adoption: Equatable, Sendable {
    /// It runs, as this process; its end is told later.
    case running(pid: Int)
    /// Its holder has only just begun, or died and left something; the rest is told later.
    case unsettled
    case gone(Gone)
    /// Nothing of it was ever started.
    case never
  }

  /// Finds again what an earlier agent started.
  ///
  /// - Parameter plannedBootID: of the boot in which it was planned.
  package func adopt(
    _ place: Place, plannedBootID: String, tell: @escaping Listener
  ) -> Adoption {
    let state = HolderState.read(place.statePath)
    if let state, let gone = Self.gone(by: state) { return .gone(gone) }
    guard plannedBootID == bootID, state.map({ $0.bootId == bootID }) ?? true else {
      return .gone(
        Gone(
          problem: "the machine was restarted", ran: state?.phase == .running,
          machineRestarted: true))
    }
    if let state, let handle = state.holder.flatMap(ProcessHandle.init) {
      keep(Kept(handle: handle, place: place, tell: tell))
      if let engine = state.engine { return .running(pid: Int(engine.pid)) }
      awaitState(place, tell)
      return .unsettled
    }
    // The holder may have ended between the two looks.
    if let gone = HolderState.read(place.statePath).flatMap(Self.gone(by:)) { return .gone(gone) }
    let left = Remains.of(folder: place.folder, holder: state?.holder, engine: state?.engine)
    if state == nil, let holder = left.first(where: Remains.isHolder),
      let handle = ProcessHandle(holder.identity)
    {
      keep(Kept(handle: handle, place: place, tell: tell))
      awaitState(place, tell)
      return .unsettled
    }
    if state == nil, left.isEmpty { return .never }
    clear(place, state, Gone(problem: "its holder was killed", ran: state?.phase == .running), tell)
    return .unsettled
  }

  private func awaitState(_ place: Place, _ tell: @escaping Listener) {
    Task {
      for _ in 0..<(Self.stateWaitMilliseconds / 50) {
        try? await clocks.sleep(for: .milliseconds(50))
        guard kept.withLock({ $0[place.id] != nil }) else { return }
        if let engine = HolderState.read(place.statePath)?.engine {
          return tell(.running(pid: Int(engine.pid)))
        }
      }
      stop(place.id, graceSeconds: 0)
    }
  }

  // MARK: - Stopping

  /// Asks the holder to end its engine; the end is told later. Asking again does no harm.
  package func stop(_ id: AttemptID, graceSeconds: Int) {
    guard let handle = kept.withLock({ $0[id]?.handle }) else { return }
    handle.signal(SIGTERM)
    let identity = handle.identity
    Task { [weak self, clocks] in
      let longest = Self.grace(graceSeconds) + Self.holderMarginSeconds
      try? await clocks.sleep(for: .seconds(longest))
      self?.killStuckHolder(identity, of: id)
    }
  }

  /// A version may have copied anything from a template that was defined without limits.
  static func grace(_ seconds: Int) -> Int { min(max(0, seconds), longestGraceSeconds) }

  private func killStuckHolder(_ identity: ProcessIdentity, of id: AttemptID) {
    guard let handle = kept.withLock({ $0[id]?.handle }), handle.identity == identity else {
      return
    }
    log.error(
      "the holder does not stop its engine: killed",
      metadata: ["attempt": "\(id)", "holder": "\(identity.pid)"])
    handle.signal(SIGKILL)
  }

  // MARK: - Ending

  private func holderEnded(_ handle: ProcessHandle, _ id: AttemptID) {
    let exit = handle.reap()
    guard
      var one = kept.withLock({ kept -> Kept? in
        guard kept[id]?.handle === handle else { return nil }
        return kept.removeValue(forKey: id)
      })
    else { return }
    if let pipe = one.pipe {
      watcher.forget(pipe)
      _ = Self.drain(pipe, into: &one.complaint)
      close(pipe)
    }
    let state = HolderState.read(one.place.statePath)
    if let state, let gone = Self.gone(by: state) { return one.tell(.gone(gone)) }
    let ran = state?.phase == .running
    let gone = Gone(problem: Self.problem(exit, one.complaint, ran: ran), ran: ran)
    clear(one.place, state, gone, one.tell)
  }

  private static func gone(by state: HolderState) -> Gone? {
    switch state.phase {
    case .starting, .running: nil
    case .failed: Gone(problem: state.error ?? "its program could not be executed", ran: false)
    case .exited:
      Gone(
        exitCode: state.exitStatus?.code, exitSignal: state.exitStatus?.signal,
        problem: state.error,
        ran: true)
    }
  }

  private static func problem(_ exit: ProcessHandle.Exit?, _ complaint: [UInt8], ran: Bool)
    -> String
  {
    let said = String(decoding: complaint, as: UTF8.self).onOneLine(longest: 300)
    if !said.isEmpty { return said }
    let when = ran ? "" : " before it had started the engine"
    return switch exit {
    case .signal(let number): "its holder was ended by signal \(number)\(when)"
    case .code(let code): "its holder ended with code \(code)\(when)"
    case nil: "its holder was killed\(when)"
    }
  }

  /// Ends what the holder left behind, however long that takes, and only then says that it is gone.
  private func clear(
    _ place: Place, _ state: HolderState?, _ gone: Gone, _ tell: @escaping Listener
  ) {
    Task {
      var pauseMilliseconds = 5
      var said = false
      while true {
        let left = Remains.of(folder: place.folder, holder: state?.holder, engine: state?.engine)
        if left.isEmpty { break }
        for status in left { ProcessHandle(status.identity)?.signal(SIGKILL) }
        try? await clocks.sleep(for: .milliseconds(pauseMilliseconds))
        pauseMilliseconds = min(pauseMilliseconds * 2, 1000)
        if pauseMilliseconds == 1000, !said {
          said = true
          log.error(
            "processes of an ended attempt do not die",
            metadata: ["attempt": "\(place.id)", "pids": "\(left.map(\.identity.pid))"])
        }
      }
      tell(.gone(gone))
    }
  }
}

extension String {
  /// Text of others for one line of ours: control characters become blanks, the end is what counts.
  package func onOneLine(longest: Int) -> String {
    let plain = String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    let trimmed = plain.split(separator: " ", omittingEmptySubsequences: true)
      .joined(separator: " ")
    return trimmed.count <= longest ? trimmed : "…" + trimmed.suffix(longest - 1)
  }
}
