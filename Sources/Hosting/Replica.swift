// Replicas and attempts. A replica is a place in a deployment that is to be filled; an attempt is one
// try to fill it, on a node with devices. One replica may have an attempt that serves and older ones
// that still have to prove their end.

import HashTreeCollections

package struct Replica: Equatable, Sendable, SnapshotValue {
  package let id: ReplicaID
  package let madeAt: Timestamp
  /// The attempt that is to run; none while it waits for a place.
  package var attempt: AttemptID?
  /// Where that attempt is.
  package var node: ID<Node>?
  /// Why it waits, as a stable code; set on transition only.
  package var waiting: WaitingReason?
  package var waitingSince: Timestamp
  /// Attempts that ended by themselves since one was last ready for long.
  package var failures = 0
  package var lastFailure: String?
  package var lastFailedAt: Timestamp?
  /// Where; the next try is made elsewhere, if that is possible.
  package var lastFailedOn: ID<Node>?
  /// Whose log, on that node, has the engine's own words.
  package var lastFailed: AttemptID?
}

/// Why a replica has no place. Raw values are a storage format.
package enum WaitingReason: String, CaseIterable, Sendable, JSONCoded {
  /// Not looked at yet.
  case new
  case noNodes
  case noOpenNode
  case notEnoughDevices
  case deviceMemoryTooSmall
  case notEnoughCPU
  case notEnoughMemory
  /// It failed, and waits before the next try.
  case backingOff
  case agreementEnded
  case providerSuspended
  /// Said by no wharfd. It stays, since snapshots name a case by its place here.
  case paused
  /// It has an attempt on a node that is lost, and no other node took it. Told, and in no event.
  case nodeLost
  /// What it needs is held by engines that are to stop, and is free once their end is proved.
  case enginesStopping

  /// As a log of a format level may hold it.
  func written(at formatLevel: Int) -> WaitingReason {
    self == .enginesStopping && formatLevel < FormatLevel.kept ? .notEnoughDevices : self
  }
}

/// One try to run a replica.
package struct Attempt: Equatable, Sendable, SnapshotValue {
  package let id: AttemptID
  package let node: ID<Node>
  package let devices: [String]
  package let needs: Needs
  package let version: Name
  package let placedAt: Timestamp
  package var phase: AttemptPhase = .placed
  /// Since when it is in that phase, by the log.
  package var phaseSince: Timestamp
  package var endpoint: String?
  package var pid: Int?
  /// In words that older events hold.
  package var reason: String?
  package var cause: AttemptCause?
  package var readyAt: Timestamp?
  /// No longer wanted: gateways are to leave it, and then its engine is told to stop. For ever.
  package var leaving: Leaving?
  /// No longer wanted: its node is to stop it. For ever.
  package var stopping = false
  package var stopReason: String?
  /// When its node was told.
  package var stoppingSince: Timestamp?

  /// Since when no policy has a route to it, and why.
  package struct Leaving: Equatable, Sendable, SnapshotValue {
    package let position: Position
    package let since: Timestamp
    package let reason: String
  }

  package var isWanted: Bool { leaving == nil && !stopping }

  /// What its agent says of its phase, where that is not plain.
  package var told: String? { cause?.words ?? reason }

  func isAs(_ change: AttemptChange) -> Bool {
    phase == change.phase && endpoint == change.endpoint && pid == change.pid
      && reason == change.reason && cause == change.cause
  }
}

package enum AttemptPhase: String, CaseIterable, Sendable, JSONCoded {
  /// Decided, and not yet reported by its agent → checkingWeights, starting.
  case placed
  /// Nothing of it is started before its weights are known to be those that were pinned → starting,
  /// ended.
  case checkingWeights
  /// Written to the agent's ledger, not yet started → loading, ended.
  case starting
  /// The process runs and is not ready yet → ready, stopping, ended.
  case loading
  /// Answers → unhealthy, stopping, ended.
  case ready
  /// Was ready and no longer answers its probe → ready, stopping, ended.
  case unhealthy
  /// Told to stop → ended.
  case stopping
  /// No process of it is left, and its devices are free. For ever.
  case ended

  /// As a log of a format level may hold it.
  func written(at formatLevel: Int) -> AttemptPhase {
    self == .checkingWeights && formatLevel < FormatLevel.kept ? .starting : self
  }
}

/// Who had an attempt stopped that did not end by itself: no failure of it. Raw values are a storage
/// format.
package enum StopOrder: String, CaseIterable, Sendable, JSONCoded {
  /// All engines of its node were told to stop, as by `wharf down`.
  case nodeStopped
  /// It was not in its node's assignment any more.
  case notAssigned
  /// The date until which it might run.
  case dateReached
  /// It is exclusive, and its agent did not hear the control plane for the lease.
  case leaseEnded

  /// An older program cannot read an event that holds one.
  package static let formatLevel = 2
}

/// What an agent sees of an attempt.
package struct ObservedAttempt: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var id: AttemptID
  package var phase: AttemptPhase
  package var pid: Int?
  /// `http://127.0.0.1:9001`, while it runs.
  package var endpoint: String?
  package var exitCode: Int?
  package var exitSignal: Int?
  /// Words of an older agent, which may be its engine's: read, and not kept.
  package var reason: String?
  /// Of one that ended: by whose order; none when it ended by itself.
  package var ordered: StopOrder?
  /// Why it is in this phase, where that is not plain.
  package var cause: AttemptCause?
  /// The device that this is about.
  package var device: String?
  package var weights: WeightsFound?

  package init(
    id: AttemptID, phase: AttemptPhase, pid: Int? = nil, endpoint: String? = nil,
    exitCode: Int? = nil, exitSignal: Int? = nil, reason: String? = nil,
    ordered: StopOrder? = nil, cause: AttemptCause? = nil, device: String? = nil,
    weights: WeightsFound? = nil
  ) {
    self.id = id
    self.phase = phase
    self.pid = pid
    self.endpoint = endpoint
    self.exitCode = exitCode
    self.exitSignal = exitSignal
    self.reason = reason
    self.ordered = ordered
    self.cause = cause
    self.device = device
    self.weights = weights
  }
}

/// What became of an attempt, in an event. What its engine wrote last is no part of it: see the log file
/// of the attempt, on the node whose stream the event stands on.
package struct AttemptChange: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package let id: AttemptID
  package let phase: AttemptPhase
  package let pid: Int?
  package let endpoint: String?
  package let exitCode: Int?
  package let exitSignal: Int?
  /// In words: of older events, and of a log that may not hold a cause yet.
  package let reason: String?
  /// By whose order it ended; none when it ended by itself, and in events from before this was told.
  package let ordered: StopOrder?
  package let cause: AttemptCause?
  package let device: String?
  package let weights: WeightsFound?

  /// How it ended, for people.
  package var ending: String {
    let why = cause?.words(device: device, weights: weights) ?? reason
    if let exitSignal { return "killed by signal \(exitSignal)" + (why.map { ": \($0)" } ?? "") }
    if let exitCode { return "exit code \(exitCode)" + (why.map { ": \($0)" } ?? "") }
    return why ?? "ended"
  }
}

extension AttemptChange {
  /// As it is written into a log of a format level: of what an agent says only what is a code, a number,
  /// or a device of the attempt's own.
  init(_ observed: ObservedAttempt, of attempt: Attempt, formatLevel: Int) {
    var observed = observed
    observed.reason = nil
    observed.phase = observed.phase.written(at: formatLevel)
    if let device = observed.device, !attempt.devices.contains(device) { observed.device = nil }
    if formatLevel < StopOrder.formatLevel { observed.ordered = nil }
    if formatLevel < AttemptCause.formatLevel {
      observed.reason = observed.cause?.words(device: observed.device, weights: observed.weights)
      observed.cause = nil
      observed.device = nil
      observed.weights = nil
    }
    self.init(observed)
  }

  init(_ observed: ObservedAttempt) {
    id = observed.id
    phase = observed.phase
    pid = observed.pid
    endpoint = observed.endpoint
    exitCode = observed.exitCode
    exitSignal = observed.exitSignal
    reason = observed.reason
    ordered = observed.ordered
    cause = observed.cause
    device = observed.device
    weights = observed.weights
  }
}

extension HostingState {
  /// Applies what an agent saw of an attempt on its node.
  mutating func apply(
    _ change: AttemptChange, on node: ID<Node>, _ fact: Fact
  ) throws(Contradiction) {
    guard let attempt = attempts[change.id], attempt.node == node else {
      throw Contradiction("attempt \(change.id) is not charged to \(node)")
    }
    if change.phase == .ended {
      return try release(
        change.id, reason: change.ending, failed: !attempt.stopping && change.ordered == nil, fact)
    }
    try recounting([change.id]) { state throws(Contradiction) in
      try state.attempts.change(change.id) { attempt in
        if attempt.phase != change.phase { attempt.phaseSince = fact.recordedAt }
        attempt.phase = change.phase
        attempt.pid = change.pid
        attempt.endpoint = change.endpoint
        attempt.reason = change.reason
        attempt.cause = change.cause
        if change.phase == .ready, attempt.readyAt == nil { attempt.readyAt = fact.recordedAt }
      }
    }
  }

  /// Takes out an attempt whose end is proved, and frees what it held.
  mutating func release(
    _ id: AttemptID, reason: String, failed: Bool, _ fact: Fact
  ) throws(Contradiction) {
    guard let attempt = attempts[id] else { throw Contradiction("there is no attempt \(id)") }
    try recounting([id]) { $0.attempts[id] = nil }
    leaving.remove(id)
    departing.remove(id)
    lostSecretAttempts.remove(id)
    if attempt.stopping {
      try changeNode(attempt.node, fact) { $0.release(attempt) }
    } else {
      try reassign(attempt.node, fact) { $0.release(attempt) }
    }
    let deployment = ID<Deployment>(id.replica.deployment)
    let isCurrent = deployments[deployment]?.replicas[id.replica.number]?.attempt == id
    let wasLongReady = attempt.wasSteady(at: fact.recordedAt)
    try updateDeployment(deployment) { deployment in
      deployment.charged -= 1
      guard isCurrent else { return }
      deployment.vacate(
        id.replica.number, waiting: .new, at: fact.recordedAt, failure: failed ? reason : nil,
        afterSteady: wasLongReady)
    }
    try forgetDeletedIfDone(deployment)
  }

  /// Takes an attempt out of the routes, and lets its engine run until gateways have left it. What never
  /// was in a route is stopped at once.
  mutating func leave(_ id: AttemptID, reason: String, _ fact: Fact) throws(Contradiction) {
    guard let attempt = attempts[id], attempt.isWanted else { return }
    guard attempt.readyAt != nil else { return try stop(id, reason: reason, fact) }
    try recounting([id]) { state throws(Contradiction) in
      try state.attempts.change(id) {
        $0.leaving = Attempt.Leaving(
          position: fact.position, since: fact.recordedAt, reason: reason)
      }
    }
    leaving.insert(id)
    departing.insert(id)
    // It is not wanted any more, so it answers no more by this.
    lostSecretAttempts.remove(id)
  }

  /// Marks an attempt as no longer wanted; it stays charged until its end is proved.
  mutating func stop(_ id: AttemptID, reason: String, _ fact: Fact) throws(Contradiction) {
    guard let attempt = attempts[id], !attempt.stopping else { return }
    try recounting([id]) { state throws(Contradiction) in
      state.leaving.remove(id)
      state.departing.insert(id)
      state.lostSecretAttempts.remove(id)
      try state.attempts.change(id) { attempt in
        attempt.stopping = true
        attempt.stopReason = reason
        attempt.stoppingSince = fact.recordedAt
      }
    }
    try reassign(attempt.node, fact)
  }
}

extension Replica {
  /// Ready for this long, a replica's earlier failures no longer count.
  package static let steadySeconds = 600.0
  package static let firstBackoffSeconds: Int64 = 1
  package static let longestBackoffSeconds: Int64 = 300

  /// When the next try may be made: doubled with each failure in a row.
  package var retryAt: Timestamp? {
    guard failures > 0, let lastFailedAt else { return nil }
    let doublings = min(failures - 1, 16)
    return lastFailedAt.adding(
      seconds: min(Self.firstBackoffSeconds << Int64(doublings), Self.longestBackoffSeconds))
  }

  /// Where the words are that an engine of it wrote last, before it failed: they are in no event.
  package func lastLog(_ state: HostingState) -> String? {
    guard let lastFailed, let node = lastFailedOn.flatMap({ state.nodes[$0] }) else { return nil }
    return "ended/\(lastFailed)/engine.log in the folder of the agent on \(node.name)"
  }

  /// Its attempt, which it still has, ended by itself.
  mutating func fail(_ reason: String, afterSteady: Bool, at moment: Timestamp) {
    failures = afterSteady ? 1 : failures + 1
    lastFailure = reason
    lastFailedAt = moment
    lastFailedOn = node
    lastFailed = attempt
  }
}
