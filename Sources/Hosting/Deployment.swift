// A deployment: a model version to be served with so many replicas. People say how many; the
// reconciler's decisions, which are commands too, say where.

import HashTreeCollections

package struct Deployment: PlainlyNamed, SnapshotValue {
  package typealias Together = DeploymentSummary
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
  package private(set) var heldReplicas = Unread<TreeDictionary<Int, Replica>>([:])
  package private(set) var lastNumber = 0
  /// Deleted: leaves the state when the last attempt has ended.
  package fileprivate(set) var deletedAt: Timestamp?

  // Indexes over `replicas`, kept by the functions below.

  /// Numbers of the replicas that have no attempt.
  package private(set) var unplaced: TreeSet<Int> = []
  package private(set) var heldPlaces = Unread<TreeDictionary<ID<Node>, Int>>([:])
  /// Attempts of any replica, removed ones too, whose end is not proved yet.
  package internal(set) var charged = 0
  /// How many replicas are known to answer.
  package internal(set) var ready = 0

  package var surplus: Int { max(0, replicas.count - wanted) }

  /// `grok-2`
  package func replicaName(_ number: Int) -> String { "\(name)-\(number)" }
}

/// What may run or not as one: the clauses of an agreement are about a provider and a workload.
package struct Line: Hashable, Comparable, Sendable, SnapshotValue {
  package let provider: ID<Provider>
  package let workload: Workload

  package static func < (a: Self, b: Self) -> Bool {
    (a.provider, a.workload) < (b.provider, b.workload)
  }
}

// MARK: Its replicas

extension Deployment {
  package private(set) var replicas: TreeDictionary<Int, Replica> {
    get { heldReplicas.value }
    _modify { yield &heldReplicas.value }
  }

  /// How many replicas have their attempt on a node: what a spread goes by.
  package private(set) var placedOn: TreeDictionary<ID<Node>, Int> {
    get { heldPlaces.value }
    _modify { yield &heldPlaces.value }
  }

  /// Wants this many. Missing ones are made here; which to take away is decided by the planner.
  fileprivate mutating func grow(to count: Int, at moment: Timestamp) {
    wanted = count
    while replicas.count < wanted {
      lastNumber += 1
      replicas[lastNumber] = Replica(
        id: ReplicaID(deployment: id.position, number: lastNumber), madeAt: moment, waiting: .new,
        waitingSince: moment)
      unplaced.insert(lastNumber)
    }
  }

  fileprivate mutating func place(_ number: Int, _ attempt: Attempt) {
    guard var replica = replicas[number] else { return }
    if let before = replica.node { leave(before) }
    replica.attempt = attempt.id
    replica.node = attempt.node
    replica.waiting = nil
    replicas[number] = replica
    unplaced.remove(number)
    placedOn[attempt.node, default: 0] += 1
  }

  /// A replica's attempt is its own no more; it waits for another.
  mutating func vacate(
    _ number: Int, waiting reason: WaitingReason, at moment: Timestamp, failure: String? = nil,
    afterSteady: Bool = false
  ) {
    guard var replica = replicas[number] else { return }
    if let failure { replica.fail(failure, afterSteady: afterSteady, at: moment) }
    if let before = replica.node { leave(before) }
    replica.attempt = nil
    replica.node = nil
    replica.waiting = reason
    replica.waitingSince = moment
    replicas[number] = replica
    unplaced.insert(number)
  }

  /// Its attempt failed, and is its own yet.
  mutating func fail(_ number: Int, _ reason: String, afterSteady: Bool, at moment: Timestamp) {
    replicas[number]?.fail(reason, afterSteady: afterSteady, at: moment)
  }

  /// Earlier failures no longer count: the next try waits for nothing.
  mutating func forgive(_ number: Int) { replicas[number]?.failures = 0 }

  fileprivate mutating func note(_ number: Int, waiting reason: WaitingReason) {
    guard unplaced.contains(number) else { return }
    replicas[number]?.waiting = reason
  }

  fileprivate mutating func remove(_ number: Int) {
    guard let replica = replicas.removeValue(forKey: number) else { return }
    if let before = replica.node { leave(before) }
    unplaced.remove(number)
  }

  fileprivate mutating func removeAll() {
    replicas = [:]
    unplaced = []
    placedOn = [:]
  }

  private mutating func leave(_ node: ID<Node>) {
    let left = (placedOn[node] ?? 0) - 1
    placedOn[node] = left > 0 ? left : nil
  }
}

extension HostingState {
  /// Whether it is known to answer. What was ready on a node that is lost may serve on, but nobody
  /// knows.
  package func isReady(_ replica: Replica) -> Bool {
    replica.attempt.map { answers($0) } ?? false
  }

  /// The same of an attempt: what is wanted is its replica's own.
  private func answers(_ id: AttemptID) -> Bool {
    guard let attempt = attempts[id] else { return false }
    return attempt.phase == .ready && attempt.isWanted && !lostNodes.contains(attempt.node)
      && !isOfLostSecret(id)
  }

  /// Makes a change on which hangs whether these attempts answer, and counts anew those of which it is another.
  mutating func recounting(
    _ ids: some Sequence<AttemptID>,
    _ change: (inout HostingState) throws(Contradiction) -> Void
  ) throws(Contradiction) {
    let before = ids.map { ($0, answers($0)) }
    try change(&self)
    for (id, answered) in before where answers(id) != answered {
      try deployments.update(ID(id.replica.deployment)) { $0.ready += answered ? -1 : 1 }
    }
  }

  /// Every change of a deployment passes here, so that the planner's index stays true.
  mutating func updateDeployment(
    _ id: ID<Deployment>, _ change: (inout Deployment) -> Void
  ) throws(Contradiction) {
    var settled = true
    try deployments.update(id) { deployment in
      change(&deployment)
      settled = deployment.unplaced.isEmpty && deployment.surplus == 0
    }
    if settled { unsettled.remove(id) } else { unsettled.insert(id) }
  }

  /// A deleted deployment leaves with its last attempt.
  mutating func forgetDeletedIfDone(_ id: ID<Deployment>) throws(Contradiction) {
    guard let deployment = deployments[id], deployment.deletedAt != nil, deployment.charged == 0
    else { return }
    try deployments.remove(id)
    streamHeads[id.stream] = nil
    unsettled.remove(id)
    if let line = line(of: deployment.model, deployment.workload) {
      deploymentsIn[line]?.remove(id)
      if deploymentsIn[line]?.isEmpty == true { deploymentsIn[line] = nil }
    }
  }

  func line(of model: ID<Model>, _ workload: Workload) -> Line? {
    models[model].map { Line(provider: $0.provider, workload: workload) }
  }
}

// MARK: Events

package enum DeploymentEvents {
  static let types: [any Event.Type] = [
    DeploymentCreated.self, DeploymentScaled.self, DeploymentDeleted.self, ReplicasPlaced.self,
    ReplicasWaiting.self, ReplicasRemoved.self, AttemptsStopped.self, AttemptsDismissed.self,
    ReplicasRestarted.self,
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
    guard let line = state.line(of: model, workload) else {
      throw Contradiction("there is no \(model)")
    }
    try state.deployments.insert(
      Deployment(
        id: id, name: name, model: model, version: version, workload: workload, wanted: 0,
        exclusive: exclusive, createdAt: fact.recordedAt))
    state.deploymentsIn[line, default: []].insert(id)
    try state.updateDeployment(id) { $0.grow(to: replicas, at: fact.recordedAt) }
  }
}

package struct DeploymentScaled: Event {
  package static let type = "deploymentScaled"
  package let replicas: Int

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.updateDeployment(fact.subject()) { $0.grow(to: replicas, at: fact.recordedAt) }
  }
}

package struct DeploymentDeleted: Event {
  package static let type = "deploymentDeleted"
  /// Its attempts stop once gateways have left them; none: at once.
  package let leaving: Bool?

  package init(leaving: Bool? = nil) { self.leaving = leaving }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    for attempt in state.deployments[id]?.replicas.values.compactMap(\.attempt).sorted() ?? [] {
      try state.end(attempt, leaving: leaving, reason: "deployment deleted", fact)
    }
    try state.updateDeployment(id) { deployment in
      deployment.deletedAt = fact.recordedAt
      deployment.wanted = 0
      deployment.removeAll()
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
    var attempts: [Attempt] = []
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
        placedAt: fact.recordedAt, phaseSince: fact.recordedAt)
      try state.charge(attempt, fact)
      attempts.append(attempt)
    }
    try state.updateDeployment(id) { deployment in
      deployment.charged += attempts.count
      for attempt in attempts { deployment.place(attempt.id.replica.number, attempt) }
    }
  }
}

package struct Placement: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
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
    try state.updateDeployment(fact.subject()) { deployment in
      for number in replicas { deployment.note(number, waiting: reason) }
    }
  }
}

/// Surplus replicas were taken away; their attempts are to stop.
package struct ReplicasRemoved: Event {
  package static let type = "replicasRemoved"
  package let replicas: [Int]
  package let reason: String
  /// Their attempts stop once gateways have left them; none: at once.
  package let leaving: Bool?

  package init(replicas: [Int], reason: String, leaving: Bool? = nil) {
    self.replicas = replicas
    self.reason = reason
    self.leaving = leaving
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Deployment> = try fact.subject()
    for number in replicas {
      if let attempt = state.deployments[id]?.replicas[number]?.attempt {
        try state.end(attempt, leaving: leaving, reason: reason, fact)
      }
    }
    try state.updateDeployment(id) { deployment in
      for number in replicas { deployment.remove(number) }
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
    try state.updateDeployment(id) { deployment in
      for number in replicas { deployment.vacate(number, waiting: reason, at: fact.recordedAt) }
    }
  }
}

/// Gateways have left these attempts, or were waited for long enough: their engines are told to stop.
package struct AttemptsDismissed: Event {
  package static let type = "attemptsDismissed"
  package static let formatLevel = FormatLevel.kept
  package let attempts: [AttemptID]
  /// Every gateway that may serve enforces a policy of this position or a later one. None: that was not
  /// waited for.
  package let enforced: Position?

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    for id in attempts {
      try state.stop(id, reason: state.attempts[id]?.leaving?.reason ?? "dismissed", fact)
    }
  }
}

extension HostingState {
  /// Lets gateways leave an attempt first, or stops it at once.
  mutating func end(
    _ id: AttemptID, leaving: Bool?, reason: String, _ fact: Fact
  ) throws(Contradiction) {
    if leaving == true {
      try leave(id, reason: reason, fact)
    } else {
      try stop(id, reason: reason, fact)
    }
  }

  /// Charges a new attempt to its node: no device is ever charged twice.
  fileprivate mutating func charge(_ attempt: Attempt, _ fact: Fact) throws(Contradiction) {
    guard let node = nodes[attempt.node] else { throw Contradiction("there is no \(attempt.node)") }
    for device in attempt.devices where node.charges[device] != nil {
      throw Contradiction("device \(device) of \(node.name) is charged already")
    }
    guard attempts.updateValue(attempt, forKey: attempt.id) == nil else {
      throw Contradiction("attempt \(attempt.id) was placed twice")
    }
    try reassign(attempt.node, fact) { $0.charge(attempt) }
  }
}
