// What a new agent does with what an earlier one left: engines that serve on are taken over as they
// are, ends that nobody saw are read from their holders, and engines nobody knows are named.

import Glibc
import Hosting
import Logging
import Machine
import Time
import Wire

extension NodeAgent {
  /// After this every attempt of the ledger is accounted for. Called once, before anything else.
  package func adopt() throws {
    for found in try ledger.load() {
      switch found {
      case .entry(let entry): adopt(entry)
      case .unreadable(let id, let why): adoptSpoilt(id, why)
      }
    }
    findUnknown()
    converge()
  }

  private func adopt(_ entry: Ledger.Entry) {
    let plan = entry.plan
    let id = plan.attempt.id
    if let end = entry.end {
      attempts[id] = Attempt(plan: plan, course: .ended(end, acknowledged: false))
      return
    }
    if let refusal = plan.refusal {
      return end(plan, Ledger.End(cause: refusal))
    }
    // Set first, so that an event that comes at once finds it.
    attempts[id] = Attempt(plan: plan, course: .starting)
    switch host.adopt(
      ledger.place(of: plan), plannedBootID: plan.bootID, tell: listener(plan))
    {
    case .running(let pid): takeOver(entry, pid: pid)
    case .unsettled: takeOver(entry, pid: nil)
    case .gone(let gone):
      end(
        plan,
        EndReason.end(
          of: gone, asked: entry.stop, wasReady: entry.wasReady, logPath: ledger.logPath(id)))
    case .never:
      // Perhaps it was about to be started. It stays unstarted: an attempt is tried once.
      end(plan, Ledger.End(cause: .agentEnded, order: entry.stop?.order))
    }
  }

  private func takeOver(_ entry: Ledger.Entry, pid: Int?) {
    let id = entry.plan.attempt.id
    log.info(
      "adopted", metadata: ["attempt": "\(id)", "pid": "\(pid.map(String.init) ?? "unknown")"])
    if let stop = entry.stop {
      attempts[id]?.course = .stopping(pid: pid, stop)
      host.stop(id, graceSeconds: entry.plan.attempt.launch.stopGraceSeconds)
      return
    }
    guard let pid else { return }
    let readiness = entry.plan.attempt.launch.readiness
    // Ready until it is seen not to be: a new agent must not take a serving engine's traffic away.
    let standing: Health.Standing =
      entry.wasReady
      ? .ready
      : .loading(
        deadline: (ProcessTable.startedAt(pid: pid) ?? clocks.bootTime)
          .adding(seconds: readiness.deadlineSeconds))
    attempts[id]?.course = .running(
      pid: pid, settled: true,
      health: Health(
        standing: standing, periodMilliseconds: readiness.periodMilliseconds,
        liveness: entry.plan.attempt.launch.liveness ?? .usual, at: clocks.bootTime))
    watchHealth(id)
  }

  /// Without a plan nothing was started, since the plan comes first. With one that cannot be read
  /// nobody knows, so the attempt counts as tried; if it runs, it is found below.
  private func adoptSpoilt(_ id: AttemptID, _ why: String) {
    let folder = ledger.folder(of: id)
    if access(folder + "/plan.json", F_OK) != 0,
      Remains.all(below: ledger.attemptsFolder)["\(id)"] == nil
    {
      try? Files.remove(folder)
      return
    }
    log.error("a ledger entry cannot be read: \(why)", metadata: ["attempt": "\(id)"])
    spoilt.insert(id)
  }

  // MARK: - Engines nobody knows

  private func findUnknown() {
    let running = Remains.all(below: ledger.attemptsFolder)
    for (name, processes) in running.sorted(by: { $0.key < $1.key }) {
      let id = try? AttemptID(jsonText: name)
      if let id, let attempt = attempts[id], !attempt.isEnded { continue }
      guard let first = processes.first else { continue }
      log.warning(
        "an engine runs that this agent has no record of",
        metadata: ["attempt": "\(name)", "pid": "\(first.identity.pid)"])
      unknown.append(
        Convergence.Unknown(id: id, pid: Int(first.identity.pid), reported: false, reaping: false))
      unknownFolders[Int(first.identity.pid)] = ledger.attemptsFolder + "/" + name
    }
    for id in spoilt where running["\(id)"] == nil { endUnread(id) }
  }

  func reap(_ pid: Int) {
    guard let index = unknown.firstIndex(where: { $0.pid == pid }),
      let folder = unknownFolders[pid]
    else { return }
    unknown[index].reaping = true
    log.notice("ending an engine that nobody knows", metadata: ["pid": "\(pid)"])
    Task { [weak self, clocks] in
      await Self.clear(folder, by: clocks)
      await self?.reaped(pid)
    }
  }

  /// Lets holders end their engines as they should; what has none, or does not end, is killed.
  private static func clear(_ folder: String, by clocks: Clocks) async {
    let killAt = clocks.bootTime.adding(seconds: unknownGraceSeconds)
    var pauseMilliseconds = 10
    while true {
      let left = Remains.of(folder: folder, holder: nil, engine: nil)
      if left.isEmpty { return }
      let hasHolder = left.contains(where: Remains.isHolder)
      for process in left {
        let late = clocks.bootTime >= killAt
        if hasHolder, !late, !Remains.isHolder(process) { continue }
        ProcessHandle(process.identity)?.signal(hasHolder && !late ? SIGTERM : SIGKILL)
      }
      try? await clocks.sleep(for: .milliseconds(pauseMilliseconds))
      pauseMilliseconds = min(pauseMilliseconds * 2, 1000)
    }
  }

  private static let unknownGraceSeconds = 60

  private func reaped(_ pid: Int) {
    let id = unknown.first { $0.pid == pid }?.id
    unknown.removeAll { $0.pid == pid }
    unknownFolders[pid] = nil
    if let id, attempts[id] == nil { endUnread(id) }
    converge()
  }

  /// It ran, or may have: it never starts again.
  private func endUnread(_ id: AttemptID) {
    guard attempts[id] == nil else { return }
    var plan = Ledger.Plan.unread(id, bootID: configuration.bootID)
    plan.refusal = .recordLost
    try? ledger.write(plan)
    end(plan, Ledger.End(cause: .recordLost))
  }

  // MARK: - Stopping all

  /// Stops every engine of the ledger and those nobody knows, and returns when they are gone.
  ///
  /// - Returns: the attempts that were stopped.
  package func stopEverything(
    because reason: String = "all engines of this node were told to stop"
  ) async -> [AttemptID] {
    let running = attempts.values.filter { !$0.isEnded }.map(\.id).sorted()
    let order = Ledger.Stop(.nodeStopped, reason: reason, order: .nodeStopped)
    for id in running { stop(id, order) }
    for stranger in unknown where !stranger.reaping { reap(stranger.pid) }
    while attempts.values.contains(where: { !$0.isEnded }) || !unknown.isEmpty {
      await changes.wait(longestMilliseconds: 1000)
    }
    return running
  }
}

extension Ledger.Plan {
  /// Stands in for a plan that was lost, so that its attempt is known to have been tried.
  fileprivate static func unread(_ id: AttemptID, bootID: String) -> Ledger.Plan {
    guard let unknown = try? Name("unknown") else { preconditionFailure("'unknown' is a name") }
    let launch = Launch(
      engine: unknown, command: [], environment: [:],
      readiness: Launch.Readiness(
        path: "/", listsModel: false, periodMilliseconds: 1000, deadlineSeconds: 0),
      stopGraceSeconds: 0)
    return Ledger.Plan(
      attempt: AssignedAttempt(
        id: id, replicaName: "unknown", servedModelName: "unknown", launch: launch, devices: [],
        deviceMemoryBytes: 0, contextLength: nil, modelPath: nil, engineKey: EngineKey(secret: ""),
        exclusive: false, notAfter: nil),
      port: 0, attemptedPorts: 0, bootID: bootID)
  }
}

extension ProcessTable {
  /// When a process started; none when it is gone.
  static func startedAt(pid: Int) -> BootTime? {
    guard let status = status(of: Int32(pid)) else { return nil }
    let ticksPerSecond = Int64(sysconf(Int32(_SC_CLK_TCK)))
    return BootTime(
      nanoseconds: Int64(status.identity.startTime) * (1_000_000_000 / max(1, ticksPerSecond)))
  }
}
