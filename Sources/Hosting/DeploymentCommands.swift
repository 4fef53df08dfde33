// What is decided about deployments: by people, and by the reconciler.

import HashTreeCollections

package enum DeploymentCommands {
  static let types: [any Command.Type] = [
    CreateDeployment.self, ScaleDeployment.self, DeleteDeployment.self, PlaceReplicas.self,
    NoteWaiting.self, RemoveReplicas.self, StopAttempts.self, DismissAttempts.self,
  ]

  /// How many replicas one event names at most.
  static let numbersPerEventLimit = 1_024
}

package struct CreateDeployment: Command {
  package static let type = "deployment.create"
  package static let mostReplicas = 100_000
  package let name: Name
  /// With a version: `xai/grok-3:1`.
  package let model: ModelReference
  package let replicas: Int
  /// Inference when absent.
  package let workload: Workload?
  package let exclusive: Bool?

  package init(
    name: Name, model: ModelReference, replicas: Int, workload: Workload? = nil,
    exclusive: Bool? = nil
  ) {
    self.name = name
    self.model = model
    self.replicas = replicas
    self.workload = workload
    self.exclusive = exclusive
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try state.deployments.requireFree(name)
    let (found, version) = try state.models.requireVersion(model)
    if found.retiredAt != nil || found.deprecatedAt != nil {
      throw Refusal(
        "modelDeprecated", "cannot deploy \(found.label): the model is \(found.status)",
        help: "deploy another model; what is published: wharf model list")
    }
    try DeploymentCommands.check(replicas: replicas)
    let workload = workload ?? .inference
    _ = try state.agreementAllowing(
      workload, for: nil, of: state.owner(of: found), to: "deploy \(found.label)",
      now: decision.now)
    decision.create(
      Deployment.self,
      DeploymentCreated(
        name: name, model: found.id, version: version.label, workload: workload,
        replicas: replicas, exclusive: exclusive ?? false))
  }
}

extension DeploymentCommands {
  fileprivate static func check(replicas: Int) throws(Refusal) {
    guard (0...CreateDeployment.mostReplicas).contains(replicas) else {
      throw Refusal(
        "replicasOutOfRange",
        "a deployment has 0 to \(CreateDeployment.mostReplicas) replicas, not \(replicas)",
        help: "name a number in between, or make another deployment of the same version")
    }
  }
}

extension HostingState {
  /// A deployment that is not on its way out.
  package func requireDeployment(_ name: Name) throws(Refusal) -> Deployment {
    let found = try deployments.require(name)
    guard found.deletedAt == nil else {
      throw Refusal(
        "deploymentDeleted", "deployment \(name) is deleted, and its last replicas are stopping",
        help: "wait until it is gone: wharf deployment show \(name)")
    }
    return found
  }
}

package struct ScaleDeployment: Command {
  package static let type = "deployment.scale"
  package let deployment: Name
  package let replicas: Int

  package init(deployment: Name, replicas: Int) {
    self.deployment = deployment
    self.replicas = replicas
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.requireDeployment(deployment)
    try DeploymentCommands.check(replicas: replicas)
    if replicas > found.wanted, let model = state.models[found.model] {
      _ = try state.agreementAllowing(
        found.workload, for: nil, of: state.owner(of: model), to: "scale up \(deployment)",
        now: decision.now)
    }
    if found.wanted != replicas {
      decision.record(DeploymentScaled(replicas: replicas), on: found.id.stream)
    }
  }
}

package struct DeleteDeployment: Command {
  package static let type = "deployment.delete"
  package let deployment: Name

  package init(deployment: Name) { self.deployment = deployment }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.deployments.require(deployment)
    guard found.deletedAt == nil else { return }
    // Nobody stops what leaves where the log cannot hold that it was left.
    let leaving = state.log.formatLevel >= AttemptsDismissed.formatLevel ? true : nil
    decision.record(DeploymentDeleted(leaving: leaving), on: found.id.stream)
  }
}

/// A placement pass: what no longer fits when it is decided falls out, the rest is placed.
package struct PlaceReplicas: Command {
  package static let type = "deployment.place"
  package static let allowed: Set<Role> = [.system]
  package static let placementsPerEventLimit = 256
  package let deployment: ID<Deployment>
  package let placements: [Placement]

  package init(deployment: ID<Deployment>, placements: [Placement]) {
    self.deployment = deployment
    self.placements = placements
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.deployments[deployment], found.deletedAt == nil,
      state.obstacle(to: found, now: decision.now) == nil,
      let needs = state.models[found.model]?.version(found.version)?.needs
    else { return }
    var tentative = Tentative()
    var placed: Set<Int> = []
    let sound = placements.prefix(Self.placementsPerEventLimit).filter { placement in
      guard let replica = found.replicas[placement.replica], state.mayBePlaced(replica),
        !placed.contains(placement.replica), let node = state.nodes[placement.node],
        placement.devices.count == needs.devices,
        Set(placement.devices).count == needs.devices,
        case .success = state.fit(needs, on: node, beside: tentative, now: decision.now),
        placement.devices.allSatisfy({ device in
          node.charges[device] == nil && !tentative.holds(device, of: node.id)
            && node.facts.devices.contains { $0.id == device && $0.memory >= needs.deviceMemory }
        })
      else { return false }
      tentative.take(placement.devices, needs, on: node.id)
      placed.insert(placement.replica)
      return true
    }
    if !sound.isEmpty {
      decision.record(ReplicasPlaced(placements: Array(sound)), on: deployment.stream)
    }
  }
}

extension HostingState {
  /// A replica may be placed when it has no attempt, or its attempt is on a node that is lost.
  package func mayBePlaced(_ replica: Replica) -> Bool {
    guard let attempt = replica.attempt.flatMap({ attempts[$0] }) else { return true }
    return nodes[attempt.node]?.status == .lost
  }
}

extension Sequence<Int> {
  /// Parts that each make an event of a fair size.
  var inParts: [[Int]] {
    let all = Array(self)
    let most = DeploymentCommands.numbersPerEventLimit
    return stride(from: 0, to: all.count, by: most).map { start in
      Array(all[start..<Swift.min(start + most, all.count)])
    }
  }
}

/// Notes why replicas wait, where that changed.
package struct NoteWaiting: Command {
  package static let type = "deployment.noteWaiting"
  package static let allowed: Set<Role> = [.system]
  package let deployment: ID<Deployment>
  package let replicas: [Int]
  package let reason: WaitingReason

  package init(deployment: ID<Deployment>, replicas: [Int], reason: WaitingReason) {
    self.deployment = deployment
    self.replicas = replicas
    self.reason = reason
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.deployments[deployment], reason != .nodeLost else { return }
    let reason = reason.written(at: state.log.formatLevel)
    let changed = replicas.filter { number in
      guard let replica = found.replicas[number] else { return false }
      return replica.attempt == nil && replica.waiting != reason
    }
    for part in changed.inParts {
      decision.record(ReplicasWaiting(replicas: part, reason: reason), on: deployment.stream)
    }
  }
}

/// Takes away surplus replicas.
package struct RemoveReplicas: Command {
  package static let type = "deployment.removeReplicas"
  package static let allowed: Set<Role> = [.system]
  package let deployment: ID<Deployment>
  package let replicas: [Int]
  /// Gateways are to leave their attempts first.
  package let leaving: Bool?

  package init(deployment: ID<Deployment>, replicas: [Int], leaving: Bool? = nil) {
    self.deployment = deployment
    self.replicas = replicas
    self.leaving = leaving
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.deployments[deployment] else { return }
    let leaving = state.log.formatLevel >= AttemptsDismissed.formatLevel ? leaving : nil
    let going = replicas.filter { found.replicas[$0] != nil }.prefix(found.surplus)
    for part in going.inParts {
      decision.record(
        ReplicasRemoved(replicas: part, reason: "scaled down", leaving: leaving),
        on: deployment.stream)
    }
  }
}

/// Tells engines to stop that gateways have left.
package struct DismissAttempts: Command {
  package static let type = "deployment.dismiss"
  package static let allowed: Set<Role> = [.system]
  package let deployment: ID<Deployment>
  package let attempts: [AttemptID]
  /// What every gateway that may serve enforces; none, where it is not waited for.
  package let enforced: Position?

  package init(deployment: ID<Deployment>, attempts: [AttemptID], enforced: Position?) {
    self.deployment = deployment
    self.attempts = attempts
    self.enforced = enforced
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let leaving = attempts.filter { state.leaving.contains($0) }
    for start in stride(from: 0, to: leaving.count, by: DeploymentCommands.numbersPerEventLimit) {
      let part = leaving[start...].prefix(DeploymentCommands.numbersPerEventLimit)
      decision.record(
        AttemptsDismissed(attempts: Array(part), enforced: enforced), on: deployment.stream)
    }
  }
}

/// Stops what may no longer run: its provider was suspended, or the agreement ended.
package struct StopAttempts: Command {
  package static let type = "deployment.stopAttempts"
  package static let allowed: Set<Role> = [.system]
  package let deployment: ID<Deployment>

  package init(deployment: ID<Deployment>) { self.deployment = deployment }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.deployments[deployment],
      let reason = state.obstacle(to: found, now: decision.now)
    else { return }
    let running = found.replicas.values.filter { $0.attempt != nil }.map(\.id.number).sorted()
    for part in running.inParts {
      decision.record(AttemptsStopped(replicas: part, reason: reason), on: deployment.stream)
    }
  }
}
