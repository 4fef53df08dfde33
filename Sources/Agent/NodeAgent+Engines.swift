// Starting, watching and ending engines: how the steps of the agent are taken.

import Hosting
import Logging
import Machine
import Time
import Wire

extension NodeAgent {
  // MARK: - Starting

  func start(_ id: AttemptID, port: Int) {
    guard let assigned = steering.assignment?.attempts.first(where: { $0.id == id }) else { return }
    // Without one it is found to wait by the next pass, which knows of all that are taken.
    guard let port = freePort(from: port) else { return }
    lastPort = port
    begin(
      Ledger.Plan(attempt: assigned, port: port, attemptedPorts: 1, bootID: configuration.bootID))
  }

  /// The plan is on disk before anything runs; what cannot be written down is not started.
  private func begin(_ plan: Ledger.Plan) {
    let id = plan.attempt.id
    do {
      try ledger.write(plan)
    } catch {
      // Never started, so it may be placed elsewhere; here nothing is until the disk is written again.
      trouble(.ledgerUnwritable, "\(error)")
      return end(plan, Ledger.End(cause: .ledgerUnwritable, reason: "\(error)"))
    }
    attempts[id] = Attempt(plan: plan, course: .starting)
    do {
      let command = try EngineCommand(
        plan.attempt, host: configuration.address, port: plan.port, base: configuration.base)
      try host.start(
        command, at: ledger.place(of: plan),
        stopGraceSeconds: plan.attempt.launch.stopGraceSeconds, tell: listener(plan))
      log.info(
        "starting",
        metadata: [
          "attempt": "\(id)", "replica": "\(plan.attempt.replicaName)", "port": "\(plan.port)",
          "devices": "\(plan.attempt.devices)",
        ])
    } catch {
      let cause: AttemptCause =
        error is EngineCommand.Problem ? .templateUnfilled : .holderUnusable
      end(plan, Ledger.End(cause: cause, reason: "\(error)"))
    }
  }

  func refuse(_ id: AttemptID, _ refused: Convergence.RefusedStart) {
    guard let assigned = steering.assignment?.attempts.first(where: { $0.id == id }) else { return }
    let plan = Ledger.Plan(
      attempt: assigned, port: 0, attemptedPorts: 0, bootID: configuration.bootID,
      refusal: refused.cause)
    try? ledger.write(plan)
    end(
      plan,
      Ledger.End(cause: refused.cause, device: refused.device, weights: refused.weights))
  }

  func listener(_ plan: Ledger.Plan) -> ProcessHost.Listener {
    { [weak self] event in
      guard let self else { return }
      Task { await self.hear(event, of: plan) }
    }
  }

  /// Events hop here one by one and may overtake each other: one of an earlier try is nothing now.
  private func hear(_ event: ProcessHost.Event, of plan: Ledger.Plan) {
    guard let attempt = attempts[plan.attempt.id], !attempt.isEnded,
      attempt.plan.attemptedPorts == plan.attemptedPorts
    else { return }
    switch event {
    case .running(let pid): engineRuns(attempt, pid: pid)
    case .gone(let gone): engineIsGone(attempt, gone)
    }
    converge()
  }

  private func engineRuns(_ attempt: Attempt, pid: Int) {
    switch attempt.course {
    case .starting:
      let readiness = attempt.plan.attempt.launch.readiness
      let health = Health(
        standing: .loading(deadline: clocks.bootTime.adding(seconds: readiness.deadlineSeconds)),
        periodMilliseconds: readiness.periodMilliseconds,
        liveness: attempt.plan.attempt.launch.liveness ?? .usual, at: clocks.bootTime)
      attempts[attempt.id]?.course = .running(pid: pid, settled: false, health: health)
      settleLater(attempt.id)
      watchHealth(attempt.id)
    case .stopping(_, let stop):
      attempts[attempt.id]?.course = .stopping(pid: pid, stop)
    case .running, .ended: break
    }
  }

  private func settleLater(_ id: AttemptID) {
    let milliseconds = configuration.settleMilliseconds
    Task { [weak self, clocks] in
      try? await clocks.sleep(for: .milliseconds(milliseconds))
      await self?.settle(id)
    }
  }

  private func settle(_ id: AttemptID) {
    guard case .running(let pid, false, let health) = attempts[id]?.course else { return }
    attempts[id]?.course = .running(pid: pid, settled: true, health: health)
    changes.nudge()
  }

  // MARK: - Health

  func watchHealth(_ id: AttemptID) {
    probes[id]?.cancel()
    probes[id] = Task { [weak self, clocks] in
      while !Task.isCancelled, let probe = await self?.nextProbe(of: id) {
        let answered = await probe.prober.answers(
          probe.attempt, at: probe.endpoint, fully: probe.fully)
        guard !Task.isCancelled, let pause = await self?.probed(id, answered: answered) else {
          return
        }
        try? await clocks.sleep(for: .milliseconds(pause))
      }
    }
    looks[id]?.cancel()
    looks[id] = Task { [weak self, clocks] in
      while !Task.isCancelled, let look = await self?.nextLook(at: id) {
        try? await clocks.sleep(for: .seconds(look.liveness.periodSeconds))
        guard !Task.isCancelled else { return }
        guard await self?.isLookedAt(id) ?? false else { continue }
        let answered = await look.probe.prober.isAlive(
          look.probe.attempt, at: look.probe.endpoint, look.liveness)
        guard !Task.isCancelled else { return }
        await self?.looked(at: id, answered: answered)
      }
    }
  }

  private func nextLook(at id: AttemptID) -> (probe: Probe, liveness: Launch.Liveness)? {
    guard let probe = nextProbe(of: id), case .running(_, _, let health) = attempts[id]?.course
    else { return nil }
    return (probe, health.liveness)
  }

  private func isLookedAt(_ id: AttemptID) -> Bool {
    guard case .running(_, _, let health) = attempts[id]?.course else { return false }
    return health.isLookedAt
  }

  private func looked(at id: AttemptID, answered: Bool) {
    guard case .running(let pid, let settled, var health) = attempts[id]?.course else { return }
    let change = health.looked(answered: answered, at: clocks.bootTime)
    attempts[id]?.course = .running(pid: pid, settled: settled, health: health)
    _ = act(on: change, of: id)
  }

  private func forgetTasks(of id: AttemptID) {
    probes.removeValue(forKey: id)?.cancel()
    looks.removeValue(forKey: id)?.cancel()
  }

  struct Probe: Sendable {
    var prober: Prober
    var attempt: AssignedAttempt
    var endpoint: String
    var fully: Bool
  }

  private func nextProbe(of id: AttemptID) -> Probe? {
    guard let attempt = attempts[id], case .running(_, _, let health) = attempt.course else {
      return nil
    }
    return Probe(
      prober: prober, attempt: attempt.plan.attempt, endpoint: endpoint(of: attempt),
      fully: health.standing != .ready)
  }

  /// - Returns: milliseconds until the next probe; none when there is nothing to probe.
  private func probed(_ id: AttemptID, answered: Bool) -> Int? {
    guard let attempt = attempts[id],
      case .running(let pid, let settled, var health) = attempt.course
    else { return nil }
    let change = health.probed(answered: answered, at: clocks.bootTime)
    let isSettled = settled || health.standing == .ready
    attempts[id]?.course = .running(pid: pid, settled: isSettled, health: health)
    return act(on: change, of: id) ? health.pauseMilliseconds : nil
  }

  /// - Returns: whether it is still to be watched.
  private func act(on change: Health.Change?, of id: AttemptID) -> Bool {
    guard let attempt = attempts[id] else { return false }
    switch change {
    case nil: break
    case .becameReady:
      ledger.noteReady(id)
      log.info("ready", metadata: ["attempt": "\(id)", "endpoint": "\(endpoint(of: attempt))"])
      changes.nudge()
    case .becameUnhealthy:
      log.warning("no longer answers", metadata: ["attempt": "\(id)"])
      changes.nudge()
    case .gaveUp:
      let seconds = attempt.plan.attempt.launch.readiness.deadlineSeconds
      stop(id, Ledger.Stop(.neverReady, reason: "not ready within \(seconds) s"))
      changes.nudge()
      return false
    case .hung:
      let liveness = attempt.plan.attempt.launch.liveness ?? .usual
      stop(
        id,
        Ledger.Stop(
          .hung,
          reason: "no answer to \(liveness.failures) looks, one every \(liveness.periodSeconds) s"))
      changes.nudge()
      return false
    }
    return true
  }

  func endpoint(of attempt: Attempt) -> String {
    let host =
      configuration.address.contains(":") ? "[\(configuration.address)]" : configuration.address
    return "http://\(host):\(attempt.plan.port)"
  }

  // MARK: - Stopping and ending

  func stop(_ id: AttemptID, _ stop: Ledger.Stop) {
    guard let attempt = attempts[id] else { return }
    let pid: Int?
    switch attempt.course {
    case .starting: pid = nil
    case .running(let running, _, _): pid = running
    case .stopping, .ended: return
    }
    log.info("stopping", metadata: ["attempt": "\(id)", "reason": "\(stop.reason)"])
    attempts[id]?.course = .stopping(pid: pid, stop)
    forgetTasks(of: id)
    ledger.note(stop, of: id)
    host.stop(id, graceSeconds: attempt.plan.attempt.launch.stopGraceSeconds)
  }

  private func engineIsGone(_ attempt: Attempt, _ gone: ProcessHost.Gone) {
    forgetTasks(of: attempt.id)
    if mayTryAnotherPort(attempt), let port = freePort(from: configuration.ports.lowerBound) {
      log.warning(
        "the engine ended and its port is somebody else's: trying another",
        metadata: ["attempt": "\(attempt.id)", "taken": "\(attempt.plan.port)", "port": "\(port)"])
      var plan = attempt.plan
      takenPorts.insert(plan.port)
      plan.port = port
      plan.attemptedPorts += 1
      lastPort = port
      begin(plan)
      return
    }
    let stop: Ledger.Stop? = if case .stopping(_, let stop) = attempt.course { stop } else { nil }
    end(
      attempt.plan,
      EndReason.end(
        of: gone, asked: stop, wasReady: attempt.wasReady, logPath: ledger.logPath(attempt.id)))
  }

  /// Only before anyone was told that it runs, so to everyone else it was started once.
  private func mayTryAnotherPort(_ attempt: Attempt) -> Bool {
    switch attempt.course {
    case .starting, .running(_, false, _): break
    case .running, .stopping, .ended: return false
    }
    let wanted = steering.assignment?.attempts.contains { $0.id == attempt.id } ?? false
    return wanted && confirmed && steering.alarm == nil && lease.holds(at: clocks.bootTime)
      && attempt.plan.attemptedPorts < Self.longestPortTries
      && Port.isFree(attempt.plan.port, at: configuration.address) == false
  }

  /// The first port that nobody has, from one on and around; those found taken are remembered, and told of once.
  private func freePort(from first: Int) -> Int? {
    let ports = configuration.ports
    let used = Set(attempts.values.filter { !$0.isEnded }.map(\.plan.port)).union(takenPorts)
    var taken: [Int] = []
    defer {
      takenPorts.formUnion(taken)
      if let some = taken.first {
        log.warning(
          "ports are taken by somebody else",
          metadata: ["first": "\(some)", "ports": "\(taken.count)"])
      }
    }
    for offset in 0..<ports.count {
      let port = ports.lowerBound + (first - ports.lowerBound + offset) % ports.count
      if used.contains(port) { continue }
      switch Port.isFree(port, at: configuration.address) {
      case true: return port
      case false: taken.append(port)
      case nil:
        log.error(
          "cannot find out whether a port is free: is the address one of this machine?",
          metadata: ["address": "\(configuration.address)", "port": "\(port)"])
        // What waits for one waits, and is tried again later.
        takenPorts.formUnion(ports)
        return nil
      }
    }
    return nil
  }

  func end(_ plan: Ledger.Plan, _ end: Ledger.End) {
    let id = plan.attempt.id
    ledger.note(end, of: id)
    attempts[id] = Attempt(plan: plan, course: .ended(end, acknowledged: false))
    log.notice(
      "ended",
      metadata: [
        "attempt": "\(id)", "cause": "\(end.cause?.words ?? "")", "reason": "\(end.reason ?? "")",
        "exit": "\(end.exit)", "log": "\(ledger.logPath(id))",
      ])
  }

  func forget(_ id: AttemptID) {
    attempts[id] = nil
    weights[id] = nil
    do { try ledger.forget(id) } catch { log.warning("cannot remove a ledger entry: \(error)") }
  }
}

extension NodeAgent.Attempt {
  var wasReady: Bool {
    guard case .running(_, _, let health) = course else { return false }
    switch health.standing {
    case .loading: return false
    case .ready, .unhealthy: return true
    }
  }
}

extension Ledger {
  func place(of plan: Plan) -> ProcessHost.Place {
    ProcessHost.Place(
      id: plan.attempt.id, folder: folder(of: plan.attempt.id),
      workFolder: workFolder(of: plan.attempt.id), statePath: statePath(plan),
      logPath: logPath(plan.attempt.id))
  }
}
