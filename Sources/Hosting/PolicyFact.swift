// What gateways decide by, and which of it an event may have changed. Too much is harmless: it is told once
// more. Too little would leave a gateway with what was: a property holds this against the whole state after
// every event of random histories.

import HashTreeCollections

/// The name of one thing that gateways are told of.
package enum PolicyFact: Hashable, Sendable {
  case provider(ID<Provider>)
  case model(ID<Model>)
  case team(ID<Team>)
  /// What a team was given of a model, or how that ended.
  case access(ID<Team>, ID<Model>)
  case key(ID<Key>)
  /// A replica that may answer.
  case route(AttemptID)
  /// What holds for all gateways alike.
  case settings
}

package enum PolicyChange: Equatable, Sendable {
  case facts(Set<PolicyFact>)
  /// Whatever is told from now on has nothing to do with what was told before.
  case everything
}

extension HostingState {
  /// What an event may have changed of what gateways are told, on the way from one state to a later one.
  package func policyChange(
    by event: any Event, on stream: Stream, since old: HostingState
  ) -> PolicyChange {
    switch stream.kind {
    case .provider: .facts([.provider(ID(stream.origin))])
    case .agreement:
      .facts(agreements[ID(stream.origin)].map { [.provider($0.provider)] } ?? [])
    case .model: .facts([.model(ID(stream.origin))])
    case .team:
      .facts(
        forgottenEnds(of: ID(stream.origin), since: old).union([
          Self.fact(of: ID(stream.origin), event)
        ]))
    case .key: .facts([.key(ID(stream.origin))])
    case .node: .facts(routes(on: ID(stream.origin), event, since: old))
    case .deployment: .facts(routes(of: ID(stream.origin), event, since: old))
    case .log: Self.change(ofAll: event)
    case .engine, .person, .gateway: .facts([])
    }
  }

  private static func fact(of team: ID<Team>, _ event: any Event) -> PolicyFact {
    switch event {
    case let granted as AccessGranted: .access(team, granted.model)
    case let revoked as AccessRevoked: .access(team, revoked.model)
    case let expired as GrantExpired: .access(team, expired.model)
    default: .team(team)
    }
  }

  /// Of many ended grants a team remembers the last.
  private func forgottenEnds(of team: ID<Team>, since old: HostingState) -> Set<PolicyFact> {
    guard let before = old.teams[team], let after = teams[team] else { return [] }
    let forgotten = before.endedGrants.keys.filter {
      after.endedGrants[$0] == nil && after.grants[$0] == nil
    }
    return Set(forgotten.map { .access(team, $0) })
  }

  private static func change(ofAll event: any Event) -> PolicyChange {
    switch event {
    case is GatewayGraceSet, is FormatLevelRaised: .facts([.settings])
    // Engines have other keys from then on; a log of another era is another log.
    case is ClusterSecretRecorded, is EraBegan: .everything
    default: .facts([])
    }
  }

  private func routes(
    on node: ID<Node>, _ event: any Event, since old: HostingState
  ) -> Set<PolicyFact> {
    if let report = event as? NodeReported {
      return Set(report.attempts.map { .route($0.id) })
    }
    return [old, self].reduce(into: []) { facts, state in
      facts.formUnion((state.nodes[node]?.attempts ?? []).map { .route($0) })
    }
  }

  private func routes(
    of deployment: ID<Deployment>, _ event: any Event, since old: HostingState
  ) -> Set<PolicyFact> {
    switch event {
    case is DeploymentCreated, is DeploymentScaled: return []
    case let dismissed as AttemptsDismissed: return Set(dismissed.attempts.map { .route($0) })
    default: break
    }
    let numbers = replicas(changedBy: event, of: deployment, since: old)
    return [old, self].reduce(into: []) { facts, state in
      let replicas = state.deployments[deployment]?.replicas ?? [:]
      let touched = numbers.map { $0.compactMap { replicas[$0] } } ?? Array(replicas.values)
      facts.formUnion(touched.compactMap { $0.attempt.map { .route($0) } })
    }
  }

  /// The numbers of a deployment's replicas that an event on its stream may have changed; none: any of them.
  package func replicas(
    changedBy event: any Event, of deployment: ID<Deployment>, since old: HostingState
  ) -> [Int]? {
    switch event {
    case is DeploymentCreated, is DeploymentScaled:
      let last = deployments[deployment]?.lastNumber ?? 0
      let before = old.deployments[deployment]?.lastNumber ?? 0
      return before < last ? Array(before + 1...last) : []
    case let placed as ReplicasPlaced: return placed.placements.map(\.replica)
    case let waiting as ReplicasWaiting: return waiting.replicas
    case let removed as ReplicasRemoved: return removed.replicas
    case let stopped as AttemptsStopped: return stopped.replicas
    case let restarted as ReplicasRestarted: return restarted.replicas
    case let dismissed as AttemptsDismissed: return dismissed.attempts.map(\.replica.number)
    default: return nil
    }
  }

  /// The attempt, while requests may go to it.
  package func routed(_ id: AttemptID) -> (attempt: Attempt, endpoint: String, model: Model)? {
    guard let attempt = attempts[id], attempt.phase == .ready, attempt.isWanted,
      let endpoint = attempt.endpoint,
      let deployment = deployments[ID(id.replica.deployment)], deployment.workload == .inference,
      deployment.replicas[id.replica.number]?.attempt == id,
      let model = models[deployment.model], model.retiredAt == nil
    else { return nil }
    return (attempt, endpoint, model)
  }
}
