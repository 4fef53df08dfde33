// A replica: where it runs, or why it does not.

import HashTreeCollections
import Hosting

package struct ReplicaItem: NounItem {
  package static let kind = "replica"
  /// `31.2`
  package var id: String
  /// `grok-2`
  package var name: String
  package var deployment: Name
  /// Of its attempt; `waiting` while it has none.
  package var phase: String
  package var node: String?
  package var devices: [String]
  package var attempt: AttemptID?
  package var endpoint: String?
  /// Since when it is in that phase.
  package var since: Timestamp?
  /// What it does in that phase, and what its agent says of it, where that is not plain.
  package var reason: String?
  package var waiting: WaitingReason?
  package var waitingSince: Timestamp?
  /// Attempts in a row that ended by themselves.
  package var failures: Int
  package var lastFailure: String?
  /// Where the engine's own last words are: a file on a node.
  package var lastLog: String?
  package var placedAt: Timestamp?
  package var readyAt: Timestamp?
  /// Attempts of before whose end is not proved: what they hold is taken yet.
  package var stopping: [StoppingItem]?

  package var label: String { name }

  package init(
    _ replica: Replica, of deployment: Deployment, stopping others: [Attempt] = [],
    _ view: Viewpoint
  ) {
    let attempt = replica.attempt.flatMap { view.state.attempts[$0] }
    id = replica.id.description
    name = deployment.replicaName(replica.id.number)
    self.deployment = deployment.name
    let words = attempt.map { PhaseWords($0, of: deployment, view) }
    phase = words?.phase ?? Self.waitingPhase
    since = words?.since ?? replica.waitingSince
    node = attempt.map { view.state.nodes[$0.node]?.label ?? $0.node.description }
    devices = attempt?.devices ?? []
    self.attempt = attempt?.id
    endpoint = attempt?.endpoint
    reason = words?.reason
    let lostAt = attempt.flatMap { view.state.nodes[$0.node] }.flatMap {
      $0.status == .lost ? $0.lostAt : nil
    }
    waiting = attempt == nil ? replica.waiting : lostAt.map { _ in .nodeLost }
    waitingSince = attempt == nil ? replica.waitingSince : lostAt
    failures = replica.failures
    lastFailure = replica.lastFailure
    lastLog = replica.lastLog(view.state)
    placedAt = attempt?.placedAt
    readyAt = attempt?.readyAt
    let others = others.filter { $0.id != replica.attempt }
    stopping =
      others.isEmpty
      ? nil : others.sorted { $0.id < $1.id }.map { StoppingItem($0, of: deployment, view) }
  }

  /// A replica that is wanted no more, of which something still stops.
  package init(removed attempts: [Attempt], of deployment: Deployment, _ view: Viewpoint) {
    let attempts = attempts.sorted { $0.id < $1.id }
    let last = attempts[attempts.count - 1]
    let words = PhaseWords(last, of: deployment, view)
    id = last.id.replica.description
    name = deployment.replicaName(last.id.replica.number)
    self.deployment = deployment.name
    phase = words.phase
    since = words.since
    node = view.state.nodes[last.node]?.label ?? last.node.description
    devices = last.devices
    attempt = last.id
    endpoint = last.endpoint
    reason = words.reason
    failures = 0
    placedAt = last.placedAt
    readyAt = last.readyAt
    let older = attempts.dropLast()
    stopping = older.isEmpty ? nil : older.map { StoppingItem($0, of: deployment, view) }
  }

  package static let waitingPhase = "waiting"

  /// The phase that is told of it: of one that is wanted no more, that of what stops last.
  package static func phase(
    of replica: Replica?, stopping: [Attempt], _ deployment: Deployment, _ view: Viewpoint
  ) -> String {
    let last = replica == nil ? stopping.max { $0.id < $1.id } : nil
    guard let attempt = replica?.attempt.flatMap({ view.state.attempts[$0] }) ?? last else {
      return waitingPhase
    }
    return PhaseWords(attempt, of: deployment, view).phase
  }
}

/// What an attempt does, since when, and what else there is to say of that.
struct PhaseWords {
  let phase: String
  let since: Timestamp
  let reason: String?

  init(_ attempt: Attempt, of deployment: Deployment, _ view: Viewpoint) {
    let node = view.state.nodes[attempt.node]
    if let node, node.status == .lost {
      // What was heard last of a node that is lost says nothing of now.
      (phase, since, reason) = ("unknown", node.lostAt ?? attempt.phaseSince, attempt.told)
    } else if let departure = view.state.departure(of: attempt, view.heard?.gateways) {
      phase = AttemptPhase.stopping.rawValue
      since = attempt.leaving?.since ?? attempt.stoppingSince ?? attempt.phaseSince
      reason = departure.words
    } else {
      let silence = node.flatMap { view.silentSince($0) }.map {
        "its node is silent since \($0.short)"
      }
      let deadline = view.state.models[deployment.model]?.version(attempt.version)?.launch.readiness
        .deadlineSeconds
      phase = attempt.phase.rawValue
      since = attempt.phaseSince
      let isMute = attempt.phase == .ready && view.state.isOfLostSecret(attempt.id)
      let plain =
        isMute
        ? "no gateway can ask it: its key was made with a secret that is lost"
        : Self.words(attempt.phase, deadline)
      let all = [silence, attempt.told ?? plain].compactMap { $0 }
      reason = all.isEmpty ? nil : all.joined(separator: "; ")
    }
  }

  private static func words(_ phase: AttemptPhase, _ deadline: Int?) -> String? {
    switch phase {
    case .placed: "its agent has not begun yet"
    case .checkingWeights: "all of its weights are read first"
    case .starting, .loading: deadline.map { "given up if not ready within \($0) s of its start" }
    case .unhealthy: "no longer answers its probe"
    case .ready, .stopping, .ended: nil
    }
  }
}
