// A deployment: a model version to be served with so many replicas. People say how many; the
// reconciler's decisions, which are commands too, say where.

import HashTreeCollections

package struct Deployment: PlainlyNamed {
  package static let kind = Kind.deployment

  package let id: ID<Deployment>
  package let name: Name
  package let model: ID<Model>
  package var version: Name
  package let workload: Workload
  package var wanted: Int
  /// Its replicas stop when their agent's lease ends, and are replaced only when the node is lost.
  package let exclusive: Bool
  package let createdAt: Timestamp
  package var replicas: TreeDictionary<Int, Replica> = [:]
  package var lastNumber = 0
  /// Deleted: leaves the state when the last attempt has ended.
  package var deletedAt: Timestamp?

  /// `grok-2`
  package func replicaName(_ number: Int) -> String { "\(name)-\(number)" }
}

extension HostingState {
  package func readyReplicas(of deployment: Deployment) -> Int {
    deployment.replicas.values.count { replica in
      replica.attempt.flatMap { attempts[$0] }?.phase == .ready
    }
  }

  /// A deleted deployment leaves with its last attempt.
  mutating func forgetDeletedIfDone(_ id: ID<Deployment>) throws(Contradiction) {
    guard let deployment = deployments[id], deployment.deletedAt != nil,
      !attempts.keys.contains(where: { $0.replica.deployment == id.position })
    else { return }
    try deployments.remove(id)
  }
}

// MARK: Events

package enum DeploymentEvents {
  static let types: [any Event.Type] = [
    DeploymentCreated.self, DeploymentScaled.self, DeploymentDeleted.self, ReplicasPlaced.self,
    ReplicasWaiting.self, ReplicasRemoved.self, AttemptsStopped.self,
  ]
}

package struct DeploymentCreated: Event {
  package static let type = "deploymentCreated"
  package let name: Name
  package let model: ID<Model>
  package let version: Name
  package let workload: Workload
  package let replicas: Int
  package let exclusive: Bool

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    var deployment = Deployment(
      id: id, name: name, model: model, version: version, workload: workload, wanted: 0,
      exclusive: exclusive, createdAt: fact.recordedAt)
    deployment.grow(to: replicas, at: fact.recordedAt)
    try state.deployments.insert(deployment)
  }
}

package struct DeploymentScaled: Event {
  package static let type = "deploymentScaled"
  package let replicas: Int

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.deployments.update(fact.subject()) { $0.grow(to: replicas, at: fact.recordedAt) }
  }
}

extension Deployment {
  /// Wants this many. Missing ones are made here; which to take away is decided by the planner.
  fileprivate mutating func grow(to count: Int, at moment: Timestamp) {
    wanted = count
    while replicas.count < wanted {
      lastNumber += 1
      replicas[lastNumber] = Replica(
        id: ReplicaID(deployment: id.position, number: lastNumber), madeAt: moment, waiting: .new,
        waitingSince: moment)
    }
  }
}

package struct DeploymentDeleted: Event {
  package static let type = "deploymentDeleted"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    for attempt in state.attempts.keys.filter({ $0.replica.deployment == id.position }) {
      try state.stop(attempt, reason: "deployment deleted", fact)
    }
    try state.deployments.update(id) { deployment in
      deployment.deletedAt = fact.recordedAt
      deployment.wanted = 0
      deployment.replicas = [:]
    }
    try state.forgetDeletedIfDone(id)
  }
}

/// A placement pass placed these; each is a new attempt with this event's position.
package struct ReplicasPlaced: Event {
  package static let type = "replicasPlaced"
  package let placements: [Placement]

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    guard let deployment = state.deployments[id],
      let version = state.models[deployment.model]?.version(deployment.version)
    else { throw Contradiction("there is no \(id), or no version of it") }
    for placement in placements {
      guard let replica = deployment.replicas[placement.replica] else {
        throw Contradiction("\(id) has no replica \(placement.replica)")
      }
      if let older = replica.attempt {
        try state.stop(older, reason: "replaced by another attempt", fact)
      }
      let attempt = Attempt(
        id: AttemptID(replica: replica.id, placedAt: fact.position), node: placement.node,
        devices: placement.devices, needs: version.needs, version: version.label,
        placedAt: fact.recordedAt)
      try state.charge(attempt, fact)
      try state.deployments.update(id) { deployment in
        deployment.replicas[placement.replica]?.attempt = attempt.id
        deployment.replicas[placement.replica]?.waiting = nil
      }
    }
  }
}

package struct Placement: Codable, Equatable, Sendable {
  /// The replica's number in its deployment.
  package let replica: Int
  package let node: ID<Node>
  package let devices: [String]
  /// Why there, in words.
  package let reason: String

  package init(replica: Int, node: ID<Node>, devices: [String], reason: String) {
    self.replica = replica
    self.node = node
    self.devices = devices
    self.reason = reason
  }
}

/// Why these replicas have no place: on transition only.
package struct ReplicasWaiting: Event {
  package static let type = "replicasWaiting"
  package let replicas: [Int]
  package let reason: WaitingReason

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.deployments.update(fact.subject()) { deployment in
      for number in replicas { deployment.replicas[number]?.waiting = reason }
    }
  }
}

/// Surplus replicas were taken away; their attempts are to stop.
package struct ReplicasRemoved: Event {
  package static let type = "replicasRemoved"
  package let replicas: [Int]
  package let reason: String

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    for number in replicas {
      if let attempt = state.deployments[id]?.replicas[number]?.attempt {
        try state.stop(attempt, reason: reason, fact)
      }
    }
    try state.deployments.update(id) { deployment in
      for number in replicas { deployment.replicas[number] = nil }
    }
  }
}

/// Attempts are to stop, and their replicas wait: a provider suspended, an agreement ended.
package struct AttemptsStopped: Event {
  package static let type = "attemptsStopped"
  package let replicas: [Int]
  package let reason: WaitingReason

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    for number in replicas {
      if let attempt = state.deployments[id]?.replicas[number]?.attempt {
        try state.stop(attempt, reason: reason.rawValue, fact)
      }
    }
    try state.deployments.update(id) { deployment in
      for number in replicas {
        deployment.replicas[number]?.attempt = nil
        deployment.replicas[number]?.waiting = reason
        deployment.replicas[number]?.waitingSince = fact.recordedAt
      }
    }
  }
}

extension HostingState {
  /// Charges a new attempt to its node: no device is ever charged twice.
  fileprivate mutating func charge(_ attempt: Attempt, _ fact: Fact) throws(Contradiction) {
    guard let node = nodes[attempt.node] else { throw Contradiction("there is no \(attempt.node)") }
    for device in attempt.devices where node.charges[device] != nil {
      throw Contradiction("device \(device) of \(node.name) is charged already")
    }
    attempts[attempt.id] = attempt
    try nodes.update(attempt.node) { node in
      node.attempts.insert(attempt.id)
      for device in attempt.devices { node.charges[device] = attempt.id }
      node.generation = fact.position
    }
  }
}
