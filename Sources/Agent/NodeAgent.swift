// The agent of one node: holds what it was told and what runs, and takes the steps that Convergence
// decides. Between a decision and its step nothing is awaited. Everything here runs on one queue of
// its own, because it writes files and waits for the disk.

import AsyncHTTPClient
import Glibc
import Hosting
import Logging
import Time
import Wire

package actor NodeAgent {
  package struct Configuration: Sendable {
    package var node: Stream
    /// Where engines bind and are reached.
    package var address: String
    package var ports: ClosedRange<Int>
    package var bootID: String
    /// Of this start of the agent.
    package var incarnation: String
    package var base: EngineCommand.Base
    /// An engine that ends sooner, and whose port somebody else has, is tried at another port.
    package var settleMilliseconds: Int64

    package init(
      node: Stream, address: String, ports: ClosedRange<Int>, bootID: String, incarnation: String,
      base: EngineCommand.Base, settleMilliseconds: Int64 = Self.usualSettleMilliseconds
    ) {
      self.node = node
      self.address = address
      self.ports = ports
      self.bootID = bootID
      self.incarnation = incarnation
      self.base = base
      self.settleMilliseconds = settleMilliseconds
    }

    package static let usualSettleMilliseconds: Int64 = 5_000
  }

  package static let longestPortTries = 4
  /// How long a date or a changed clock may go unnoticed.
  private static let longestNapMilliseconds: Int64 = 30_000

  /// One attempt in the ledger.
  struct Attempt {
    /// starting → running, stopping, ended; running → stopping, ended; stopping → ended.
    enum Course {
      case starting
      case running(pid: Int, settled: Bool, health: Health)
      case stopping(pid: Int?, Ledger.Stop)
      case ended(Ledger.End, acknowledged: Bool)
    }
    var plan: Ledger.Plan
    var course: Course
    var id: AttemptID { plan.attempt.id }
  }

  let configuration: Configuration
  let folder: DataFolder
  let host: ProcessHost
  let prober: Prober
  let log: Logger
  nonisolated let clocks: Clocks
  nonisolated let changes: Nudge
  private let queue = QueueExecutor(label: "wharf.agent")

  var steering: Steering
  /// The furthest head that was given out and believed, with its seal.
  var sealed: SealedHead?
  var lease = Lease()
  /// The control plane told this very agent that its assignment is the newest.
  var confirmed = false
  /// The control plane heard this agent, and no other one, in its node's name.
  var accepted = false
  var facts: NodeFacts
  var attempts: [AttemptID: Attempt] = [:]
  var waiting: [Convergence.Waiting] = []
  var unknown: [Convergence.Unknown] = []
  /// By the pid that stands for it.
  var unknownFolders: [Int: String] = [:]
  /// Their ledger entry cannot be read.
  var spoilt: Set<AttemptID> = []
  var takenPorts: Set<Int> = []
  var lastPort: Int?
  var sequence = 0
  var probes: [AttemptID: Task<Void, Never>] = [:]
  var looks: [AttemptID: Task<Void, Never>] = [:]
  /// What was found of weights that are pinned.
  var weights: [AttemptID: Convergence.WeightsStanding] = [:]
  var weightsMemory: WeightsMemory
  var readings: [String: WeightsReading] = [:]
  /// What ails the node, with what its agent saw of it, which is told to nobody but its own log.
  var troubles: [NodeTrouble: String] = [:]
  /// What was heard last in place of an answer, by what was asked.
  var refusals: [Asked: String] = [:]
  enum Asked: CaseIterable { case assignment, report }
  /// How odd the answers in a row to each were.
  var oddness: [Asked: Int] = [:]
  /// The alarm that was logged last.
  private var raised: String?
  private var keptStatus: DataFolder.Status?
  private var nap: Task<Void, Never>?

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    queue.asUnownedSerialExecutor()
  }

  package init(
    _ configuration: Configuration, facts: NodeFacts, folder: DataFolder, host: ProcessHost,
    client: HTTPClient, clocks: Clocks = .system, log: Logger
  ) {
    self.configuration = configuration
    self.clocks = clocks
    changes = Nudge(clocks: clocks)
    self.facts = facts
    self.folder = folder
    self.host = host
    self.prober = Prober(client: client, clocks: clocks)
    self.log = log
    weightsMemory = folder.weightsMemory()
    let seen = folder.seen()
    var kept: Assignment?
    do { kept = try folder.assignment() } catch {
      // Asked for anew; until then what runs is left as it is.
      log.error("the assignment acted on last cannot be read: \(error)")
    }
    steering = Steering(head: seen?.head, assignment: kept)
    sealed = seen?.sealed
    if let seen, seen.bootID == configuration.bootID, let until = seen.leaseUntil {
      lease = Lease(until: BootTime(nanoseconds: until))
    }
  }

  var ledger: Ledger { folder.ledger }

  // MARK: - What is heard

  /// Takes an answer to the question for a newer assignment; none says that there is none newer.
  func heard(_ answer: ControlLink.Answer<Assignment?>) {
    guard let assignment = answer.value else {
      if let head = answer.head, case .mistrusted(let reason) = steering.hear(head, answer.echo) {
        raise(reason)
      }
      if steering.assignment != nil, steering.alarm == nil { confirmed = true }
      sealed.take(answer.sealed, believed: steering.head)
      converge()
      return
    }
    switch steering.offer(assignment, for: configuration.node, answer.echo) {
    case .accepted:
      accept(assignment)
      lease.renew(sentAt: answer.sentAt, seconds: assignment.leaseSeconds)
    case .unchanged:
      confirmed = true
      lease.renew(sentAt: answer.sentAt, seconds: assignment.leaseSeconds)
    case .stale:
      log.notice(
        "an older assignment was ignored", metadata: ["generation": "\(assignment.generation)"])
    case .mistrusted(let reason): raise(reason)
    }
    keepSeen(answer.sealed)
    converge()
  }

  private func accept(_ assignment: Assignment) {
    confirmed = true
    log.info(
      "assignment",
      metadata: [
        "generation": "\(assignment.generation)", "attempts": "\(assignment.attempts.count)",
      ])
    // Acted on even when it cannot be kept: what it stops must stop, and what it starts has a
    // ledger entry of its own or does not start.
    do { try folder.keep(assignment) } catch {
      trouble(.ledgerUnwritable, "\(error)")
    }
    forgetWeights(but: assignment)
  }

  func heard<Value>(
    _ head: HeadWitness, in answer: ControlLink.Answer<Value>, leaseSeconds: Int
  ) {
    switch steering.hear(head, answer.echo) {
    case .believed, .behind: lease.renew(sentAt: answer.sentAt, seconds: leaseSeconds)
    case .mistrusted(let reason): raise(reason)
    }
    keepSeen(answer.sealed)
    converge()
  }

  func raise(_ reason: String) {
    guard reason != raised else { return }
    raised = reason
    log.critical(
      "the control plane is not believed: \(reason). Engines serve on; nothing is changed")
    changes.nudge()
  }

  private func keepSeen(_ given: SealedHead?) {
    sealed.take(given, believed: steering.head)
    if steering.alarm == nil { raised = nil }
    let seen = DataFolder.Seen(
      head: steering.head, sealed: sealed, bootID: configuration.bootID,
      leaseUntil: lease.until?.nanoseconds,
      pid: Int(getpid()))
    do { try folder.keep(seen) } catch { trouble(.ledgerUnwritable, "\(error)") }
    keepStatus()
  }

  func changed(facts new: NodeFacts) {
    guard new != facts else { return }
    facts = new
    log.notice("what the node has changed", metadata: ["devices": "\(new.devices.map(\.id))"])
    converge()
  }

  // MARK: - Troubles

  /// Something ails the node: what runs is left as it is.
  func trouble(_ trouble: NodeTrouble, _ why: String) {
    guard troubles.updateValue(why, forKey: trouble) != why else { return }
    log.critical("\(trouble.words): \(why). Engines serve on", metadata: ["alarm": "\(trouble)"])
    if trouble == .ledgerUnwritable { awaitDisk() }
    keepStatus()
    changes.nudge()
  }

  func troubleIsOver(_ trouble: NodeTrouble) {
    guard troubles.removeValue(forKey: trouble) != nil else { return }
    log.notice("no longer: \(trouble.words)", metadata: ["alarm": "\(trouble)"])
    keepStatus()
    converge()
  }

  private static let diskLookSeconds = 2

  /// Until something can be written again, as durably as a ledger entry is.
  private func awaitDisk() {
    Task { [weak self, clocks] in
      while (try? await clocks.sleep(for: .seconds(Self.diskLookSeconds))) != nil {
        guard let self, await self.isStillUnwritable() else { return }
      }
    }
  }

  private func isStillUnwritable() -> Bool {
    guard troubles[.ledgerUnwritable] != nil else { return false }
    do { try folder.tryToWrite() } catch { return true }
    troubleIsOver(.ledgerUnwritable)
    return false
  }

  /// What this agent sees, for whoever looks on this machine: see `wharf-agent status`.
  func keepStatus() {
    let status = DataFolder.Status(
      pid: Int(getpid()), node: configuration.node,
      engines: attempts.values.count { !$0.isEnded },
      refusal: Asked.allCases.lazy.compactMap { self.refusals[$0] }.first, alarm: steering.alarm,
      troubles: troubles.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.key.words): \($0.value)" })
    if status != keptStatus, (try? folder.keep(status)) != nil { keptStatus = status }
  }

  // MARK: - Converging

  func converge() {
    // Each pass may open the way for another: a refused start is ended, and what held it up is known.
    for _ in 0..<Self.longestPasses {
      let outcome = Convergence.outcome(of: situation)
      waiting = outcome.waiting
      for step in outcome.steps { take(step) }
      sleep(until: outcome.checkAt)
      if outcome.steps.isEmpty { break }
    }
    changes.nudge()
  }

  /// More than one assignment ever needs; the nap comes back to whatever is left.
  private static let longestPasses = 100

  private var situation: Convergence.Situation {
    Convergence.Situation(
      assignment: steering.assignment, confirmed: confirmed && accepted,
      mistrusts: steering.alarm != nil,
      leaseHolds: lease.holds(at: clocks.bootTime), now: clocks.date,
      held: attempts.values.map(\.held),
      unknown: unknown, devices: Set(facts.devices.map(\.id)), ports: configuration.ports,
      takenPorts: takenPorts, lastPort: lastPort, weights: weights)
  }

  private func take(_ step: Convergence.Step) {
    switch step {
    case .stop(let id, let reason):
      stop(
        id,
        Ledger.Stop(
          reason.cause, reason: reason.description, order: reason.order, device: reason.device))
    case .reap(let pid): reap(pid)
    case .forget(let id): forget(id)
    case .check(let id): check(id)
    case .refuse(let id, let refused): refuse(id, refused)
    case .start(let id, let port, _): start(id, port: port)
    }
  }

  private func sleep(until date: Timestamp?) {
    nap?.cancel()
    var milliseconds = Self.longestNapMilliseconds
    let (now, booted) = (clocks.date, clocks.bootTime)
    if let date {
      milliseconds = min(milliseconds, max(1, (date.microseconds - now.microseconds + 999) / 1000))
    }
    if let end = lease.until, lease.holds(at: booted) {
      milliseconds = min(milliseconds, booted.milliseconds(until: end) + 1)
    }
    nap = Task { [weak self, clocks] in
      guard (try? await clocks.sleep(for: .milliseconds(milliseconds))) != nil else { return }
      await self?.wake()
    }
  }

  private func wake() {
    // Ports found taken may be free again.
    takenPorts = []
    converge()
  }

  /// Ends all that goes on inside the agent; engines are left as they are.
  func close() {
    nap?.cancel()
    for (_, task) in Array(probes) + Array(looks) { task.cancel() }
    (probes, looks) = ([:], [:])
    for (_, reading) in readings { reading.cancelled.raise() }
  }
}

extension NodeAgent.Attempt {
  var held: Convergence.Held {
    let condition: Convergence.Held.Condition =
      switch course {
      case .starting, .running: .alive
      case .stopping: .stopping
      case .ended(_, let acknowledged): .ended(acknowledged: acknowledged)
      }
    return Convergence.Held(
      id: id, devices: plan.attempt.devices, port: plan.port, exclusive: plan.attempt.exclusive,
      notAfter: plan.attempt.notAfter, condition: condition)
  }

  var isEnded: Bool {
    if case .ended = course { return true }
    return false
  }
}
