// Restarting a replica: its attempt is to stop, and it is placed again. On a person's word, because
// gateways get no answer from its engine, or because the engine has a key that nobody can make again.

import HashTreeCollections

/// Raw values are a storage format.
package enum RestartCause: String, CaseIterable, Sendable, JSONCoded {
  /// On a person's word: no failure, and earlier ones no longer count.
  case asked
  /// Requests were given up on, and none was answered: a failure as any other.
  case unanswering
  /// Its engine's key was made with a secret that is lost: no gateway can ask it anything.
  case secretReplaced

  package var words: String {
    switch self {
    case .asked: "restarted on a person's word"
    case .unanswering: "it answers no request"
    case .secretReplaced: "its key was made with a secret that is lost"
    }
  }
}

/// Requests to an attempt in the minute before it was judged, over all gateways.
package struct RequestCounts: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable {
  package let asked: Int
  /// Those that met silence.
  package let gaveUp: Int

  package init(asked: Int, gaveUp: Int) {
    self.asked = asked
    self.gaveUp = gaveUp
  }
}

// MARK: Event

package struct ReplicasRestarted: Event {
  package static let type = "replicasRestarted"
  package static let formatLevel = FormatLevel.kept
  package let replicas: [Int]
  package let cause: RestartCause
  /// Of the one replica that did not answer.
  package let requests: RequestCounts?
  /// Gateways leave what is ready first, since it may be answering; else it is stopped at once.
  package let leaving: Bool?

  package init(
    replicas: [Int], cause: RestartCause, requests: RequestCounts? = nil, leaving: Bool? = nil
  ) {
    self.replicas = replicas
    self.cause = cause
    self.requests = requests
    self.leaving = leaving
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    let exclusive = state.deployments[id]?.exclusive ?? false
    for number in replicas {
      let attempt = state.deployments[id]?.replicas[number]?.attempt.flatMap { state.attempts[$0] }
      if let attempt {
        try state.end(attempt.id, leaving: leaving, reason: cause.words, fact)
      }
      try state.updateDeployment(id) { deployment in
        switch cause {
        case .asked: deployment.forgive(number)
        case .unanswering:
          deployment.fail(
            number, failure, afterSteady: attempt?.wasSteady(at: fact.recordedAt) ?? false,
            at: fact.recordedAt)
        case .secretReplaced: break
        }
        // Of an exclusive one nothing may run beside: it keeps its attempt until the end is proved.
        if !exclusive { deployment.vacate(number, waiting: .new, at: fact.recordedAt) }
      }
    }
  }

  private var failure: String {
    requests.map { "\(cause.words): \($0.gaveUp) given up on in a minute" } ?? cause.words
  }
}

// MARK: Commands

package enum RestartCommands {
  static let types: [any Command.Type] = [RestartReplica.self, RestartAttempts.self]
}

/// Stops a replica's attempt and places it again; one that backs off is tried at once.
package struct RestartReplica: Command {
  package static let type = "replica.restart"
  package let deployment: Name
  package let number: Int

  package init(deployment: Name, number: Int) {
    self.deployment = deployment
    self.number = number
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.requireDeployment(deployment)
    let name = found.replicaName(number)
    guard let replica = found.replicas[number] else {
      throw Refusal(
        "unknownReplica", "there is no replica named '\(name)'",
        help: "list them with: wharf replica list --deployment \(deployment)")
    }
    let attempt = replica.attempt.flatMap { state.attempts[$0] }
    if let attempt, !attempt.isWanted {
      // One restart is under way: a second would change nothing.
      return
    }
    guard attempt != nil || replica.failures > 0 else {
      throw Refusal(
        "nothingToRestart",
        "cannot restart \(name): nothing of it runs, and it waits for no other try",
        help: "see what it waits for: wharf why replica \(name)")
    }
    decision.record(
      ReplicasRestarted(
        replicas: [number], cause: .asked, leaving: attempt?.readyAt == nil ? nil : true),
      on: found.id.stream)
  }
}

/// The reconciler's finding that attempts do not serve, though their agents say that they are well.
package struct RestartAttempts: Command {
  package static let type = "deployment.restartAttempts"
  package static let allowed: Set<Role> = [.system]
  package let deployment: ID<Deployment>
  package let attempts: [AttemptID]
  package let cause: RestartCause
  package let requests: RequestCounts?

  package init(
    deployment: ID<Deployment>, attempts: [AttemptID], cause: RestartCause,
    requests: RequestCounts? = nil
  ) {
    self.deployment = deployment
    self.attempts = attempts
    self.cause = cause
    self.requests = requests
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.deployments[deployment], found.deletedAt == nil,
      state.log.formatLevel >= ReplicasRestarted.formatLevel
    else { return }
    let current = attempts.filter { id in
      found.replicas[id.replica.number]?.attempt == id && state.attempts[id]?.isWanted == true
    }
    for part in current.map(\.replica.number).sorted().inParts {
      decision.record(
        ReplicasRestarted(replicas: part, cause: cause, requests: requests),
        on: deployment.stream)
    }
  }
}

extension HostingState {
  /// Whether an attempt's engine was started with a key that nobody can make again, so that no gateway
  /// can ask it anything.
  package func isOfLostSecret(_ attempt: AttemptID) -> Bool {
    lostSecretAttempts.contains(attempt)
  }
}

extension Attempt {
  /// It was ready for so long that earlier failures of its replica no longer count.
  func wasSteady(at moment: Timestamp) -> Bool {
    readyAt.map { moment.seconds(since: $0) >= Replica.steadySeconds } ?? false
  }
}
