// A node: a machine that runs replicas. Its devices stay charged to an attempt until the attempt's
// end is proved: by the agent's report, by a new boot, or on a person's word that it is off.

import HashTreeCollections

package struct Node: PlainlyNamed, SnapshotValue {
  package typealias Together = NodeSummary
  package static let kind = Kind.node

  package enum Status: String, CaseIterable, Sendable, JSONCoded {
    /// A join token is out → active.
    case invited
    /// Joined, and heard of → lost, removed.
    case active
    /// Silent too long → active, removed.
    case lost
  }

  package let id: ID<Node>
  package var name: Name
  package var status: Status
  package var facts: NodeFacts { didSet { findFree() } }
  package var bootID: String
  package var incarnation: String
  /// Nothing new is placed here.
  package var cordoned = false
  /// Devices that vanished while something ran on them, until they are back or a person uncordons it.
  package var missing: [String] = []
  package let joinedAt: Timestamp
  package var lostAt: Timestamp?
  package var returnedAt: Timestamp?
  /// Times it was lost, none of them after it had been heard for long.
  package var losses = 0
  /// Takes nothing new before: it was lost and came back again and again.
  package var opensAt: Timestamp?
  package var credential: Digest?
  /// The attempts whose devices, processors and memory are charged here.
  package var attempts: Set<AttemptID> = []
  /// Which attempt each charged device is charged to.
  package var charges: [String: AttemptID] = [:]
  /// What the attempts take of processors and memory.
  package private(set) var taken = Taken()
  /// Memory of the devices that no attempt is charged to, ascending.
  package private(set) var freeMemories: [Bytes] = []
  /// The position of the last event that changed what is to run here.
  package var generation: Position
  /// The position of the last event that changed anything here.
  package var changed: Position
  /// Why its agent does not let itself be steered by this log; none when it does.
  package var alarm: Text?
  /// What else ails it, as its agent says.
  package var troubles: [NodeTrouble] = []
  /// The era that a person let it follow, whatever it saw before.
  package var acceptedEra: Position?

  package struct Taken: Equatable, Sendable, SnapshotValue {
    package var cpuMillis = 0
    package var memory = Bytes.zero
  }

  /// `device sim-3 vanished`; of many the first ones.
  package static func vanished(_ missing: [String]) -> String {
    let named = missing.prefix(namedDevices).joined(separator: ", ")
    let more = missing.count - namedDevices
    return (missing.count == 1 ? "device " : "devices ") + named
      + (more > 0 ? " and \(more) more" : "") + " vanished"
  }
  private static let namedDevices = 3

  /// Takes new replicas.
  package func isOpen(now: Timestamp) -> Bool {
    status == .active && !cordoned && alarm == nil && !troubles.contains(where: \.closesNode)
      && opensAt.map { $0 <= now } ?? true
  }

  mutating func charge(_ attempt: Attempt) {
    attempts.insert(attempt.id)
    for device in attempt.devices { charges[device] = attempt.id }
    taken.cpuMillis += attempt.needs.cpuMillis
    taken.memory = taken.memory + attempt.needs.memory
    findFree()
  }

  mutating func release(_ attempt: Attempt) {
    attempts.remove(attempt.id)
    for device in attempt.devices { charges[device] = nil }
    taken.cpuMillis -= attempt.needs.cpuMillis
    taken.memory = taken.memory - attempt.needs.memory
    findFree()
  }

  fileprivate mutating func findFree() {
    freeMemories = facts.devices.filter { charges[$0.id] == nil }.map(\.memory).sorted()
  }
}

extension Node {
  /// Heard for this long, its earlier losses no longer count.
  package static let steadySeconds = 3_600.0
  /// How long a node that was lost twice takes nothing new after its return; doubled each time.
  package static let firstSettlingSeconds: Int64 = 60
  package static let longestSettlingSeconds: Int64 = 3_600

  fileprivate mutating func lose(at moment: Timestamp) {
    let wasSteady = returnedAt.map { moment.seconds(since: $0) >= Self.steadySeconds } ?? true
    losses = wasSteady ? 1 : losses + 1
    status = .lost
    lostAt = moment
  }

  fileprivate mutating func comeBack(at moment: Timestamp) {
    status = .active
    lostAt = nil
    returnedAt = moment
    guard losses > 1 else {
      opensAt = nil
      return
    }
    let pause = Self.firstSettlingSeconds << Int64(min(losses - 2, 10))
    opensAt = moment.adding(seconds: min(pause, Self.longestSettlingSeconds))
  }
}

/// What a node has, as its agent says.
package struct NodeFacts: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead, SnapshotValue
{
  /// Where its engines can be reached by gateways.
  package var address: String
  package var cpuMillis: Int
  package var memory: Bytes
  package var devices: [DeviceFacts]

  package init(address: String, cpuMillis: Int, memory: Bytes, devices: [DeviceFacts]) {
    self.address = address
    self.cpuMillis = cpuMillis
    self.memory = memory
    self.devices = devices
  }

  package static let none = NodeFacts(address: "", cpuMillis: 0, memory: .zero, devices: [])
}

package struct DeviceFacts: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead,
  SnapshotValue
{
  /// Stable on its node: a GPU's UUID, or `sim-0`.
  package var id: String
  /// `H100`, `A100` …
  package var model: String
  package var memory: Bytes

  package init(id: String, model: String, memory: Bytes) {
    self.id = id
    self.model = model
    self.memory = memory
  }
}

extension HostingState {
  /// The devices of a node that no attempt is charged to.
  package func freeDevices(of node: Node) -> [DeviceFacts] {
    node.facts.devices.filter { node.charges[$0.id] == nil }
  }

  /// Processors and memory of a node that no attempt is charged with; below zero where it shrank.
  package func free(of node: Node) -> (cpuMillis: Int, memory: Bytes) {
    (node.facts.cpuMillis - node.taken.cpuMillis, node.facts.memory - node.taken.memory)
  }

  /// Devices that vanished while something ran on them, as of a report. What is stopping, or was
  /// stopped by order, runs no more: so an agent may be started with fewer devices after it.
  func missingDevices(of node: Node, after report: NodeReported) -> [String] {
    guard let facts = report.facts else { return node.missing }
    let ordered = Set(report.attempts.filter { $0.ordered != nil }.map(\.id))
    let inUse = node.charges.filter { charge in
      guard let attempt = attempts[charge.value], !attempt.stopping else { return false }
      return attempt.phase != .placed && !ordered.contains(attempt.id)
    }
    return Set(inUse.keys).union(node.missing).subtracting(facts.devices.map(\.id)).sorted()
  }

  /// What is to run on a node, in a fixed order.
  package func wantedAttempts(on node: Node) -> [Attempt] {
    node.attempts.sorted().compactMap { attempts[$0] }.filter { !$0.stopping }
  }
}

/// A node, and where in the log something about it changed last. A set of these tells how two states differ, at the
/// cost of what differs.
package struct NodeMark: Hashable, Comparable, Sendable, SnapshotValue {
  package let node: ID<Node>
  package let position: Position

  package static func < (a: Self, b: Self) -> Bool {
    (a.node, a.position) < (b.node, b.position)
  }
}

extension HostingState {
  /// Every change of a node passes here, so that what changed is found again.
  mutating func changeNode(
    _ id: ID<Node>, _ fact: Fact, _ change: (inout Node) -> Void
  ) throws(Contradiction) {
    guard let before = nodes[id]?.changed else { throw Contradiction("there is no \(id)") }
    nodeChanges.remove(NodeMark(node: id, position: before))
    nodeChanges.insert(NodeMark(node: id, position: fact.position))
    try nodes.update(id) { node in
      change(&node)
      node.changed = fact.position
    }
  }

  /// Changes a node together with what it is to run.
  mutating func reassign(
    _ id: ID<Node>, _ fact: Fact, _ change: (inout Node) -> Void = { _ in }
  ) throws(Contradiction) {
    guard let before = nodes[id]?.generation else { throw Contradiction("there is no \(id)") }
    generations.remove(NodeMark(node: id, position: before))
    generations.insert(NodeMark(node: id, position: fact.position))
    try changeNode(id, fact) { node in
      change(&node)
      node.generation = fact.position
    }
  }

  /// The nodes that differ between two states, and those that are in one of them only.
  package func changedNodes(since old: HostingState) -> Set<ID<Node>> {
    Set(nodeChanges.symmetricDifference(old.nodeChanges).map(\.node))
  }

  /// The nodes for which what is to run differs between two states, and those that are in one of them only.
  package func reassigned(since old: HostingState) -> Set<ID<Node>> {
    Set(generations.symmetricDifference(old.generations).map(\.node))
  }
}

// MARK: Events

package enum NodeEvents {
  static let types: [any Event.Type] = [
    NodeJoined.self, NodeCordoned.self, NodeUncordoned.self, NodeLost.self, NodeReturned.self,
    NodeReported.self, NodeRemoved.self, NodeTroubled.self,
  ]
}

package struct NodeJoined: Event {
  package static let type = "nodeJoined"
  package let name: Name
  package let credential: Digest
  package let facts: NodeFacts

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    state.dropJoinToken(id)
    var node = Node(
      id: id, name: name, status: .active, facts: facts, bootID: "", incarnation: "",
      joinedAt: fact.recordedAt, credential: credential, generation: fact.position,
      changed: fact.position)
    node.findFree()
    try state.nodes.insert(node)
    state.generations.insert(NodeMark(node: id, position: fact.position))
    state.nodeChanges.insert(NodeMark(node: id, position: fact.position))
    state.credentials[credential] = Credential(holder: id.stream, use: .agent)
  }
}

package struct NodeCordoned: Event {
  package static let type = "nodeCordoned"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeNode(fact.subject(), fact) { $0.cordoned = true }
  }
}

package struct NodeUncordoned: Event {
  package static let type = "nodeUncordoned"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeNode(fact.subject(), fact) { node in
      node.cordoned = false
      node.missing = []
    }
  }
}

/// Silent for so long, while the leader could hear. Its attempts stay charged; replacements may be
/// placed elsewhere.
package struct NodeLost: Event {
  package static let type = "nodeLost"
  package let silentSeconds: Int

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    try state.changeNode(id, fact) { $0.lose(at: fact.recordedAt) }
    try state.recounting(state.nodes[id]?.attempts ?? []) { $0.lostNodes.insert(id) }
  }
}

package struct NodeReturned: Event {
  package static let type = "nodeReturned"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    try state.changeNode(id, fact) { $0.comeBack(at: fact.recordedAt) }
    try state.recounting(state.nodes[id]?.attempts ?? []) { $0.lostNodes.remove(id) }
  }
}

/// What changed on a node since its last report that changed anything.
package struct NodeReported: Event {
  package static let type = "nodeReported"
  package let bootID: String
  package let incarnation: String
  /// The new facts, when they changed.
  package let facts: NodeFacts?
  package let attempts: [AttemptChange]

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    let missing = state.nodes[id].map { state.missingDevices(of: $0, after: self) } ?? []
    try state.changeNode(id, fact) { node in
      node.bootID = bootID
      node.incarnation = incarnation
      node.missing = missing
      if let facts { node.facts = facts }
    }
    for change in attempts { try state.apply(change, on: id, fact) }
  }
}

extension HostingState {
  /// So many removals are remembered, and up to twice as many: an agent that comes back after more
  /// hears only that nobody knows it, and goes on.
  static let removalsKept = 1_024

  fileprivate mutating func remember(removal credential: Digest, at position: Position) {
    removals[position] = credential
    guard removals.count >= 2 * Self.removalsKept else { return }
    for old in removals.keys.sorted().prefix(Self.removalsKept) {
      if let spent = removals.removeValue(forKey: old) { credentials[spent] = nil }
    }
  }

  /// The node whose agent had a credential of this digest, and where the log says that it was removed.
  package func removal(of credential: Digest) -> (node: Stream, position: Position)? {
    guard let known = credentials[credential], known.use == .removed,
      let removal = removals.first(where: { $0.value == credential })
    else { return nil }
    return (known.holder, removal.key)
  }
}

/// A node leaves for good: what was charged there is released on a person's word.
package struct NodeRemoved: Event {
  package static let type = "nodeRemoved"
  package let poweredOff: Bool

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    guard let node = state.nodes[id] else { throw Contradiction("there is no \(id)") }
    for attempt in node.attempts.sorted() {
      try state.release(attempt, reason: "node \(node.name) was removed", failed: false, fact)
    }
    if let credential = node.credential {
      state.credentials[credential] = Credential(holder: id.stream, use: .removed)
      state.remember(removal: credential, at: fact.position)
    }
    state.lostNodes.remove(id)
    if let node = state.nodes[id] {
      state.generations.remove(NodeMark(node: id, position: node.generation))
      state.nodeChanges.remove(NodeMark(node: id, position: node.changed))
    }
    try state.nodes.remove(id)
  }
}
