// What is said of nodes: by people, by their agents, and by the reconciler.

import HashTreeCollections

package enum NodeCommands {
  static let types: [any Command.Type] = [
    JoinNode.self, CordonNode.self, UncordonNode.self, DeclareNodeLost.self,
    DeclareNodeReturned.self, ReportNode.self, RemoveNode.self,
  ]
}

/// Turns the join token that authenticated this command into a node with a credential.
package struct JoinNode: Command {
  package static let type = "node.join"
  package static let allowed: Set<Role> = [.joining]
  package let name: Name
  package let credential: Digest
  package let facts: NodeFacts

  package init(name: Name, credential: Digest, facts: NodeFacts) {
    self.name = name
    self.credential = credential
    self.facts = facts
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor else { return }
    // The token may have been spent by a command decided just before this one.
    guard state.joinTokens[ID(stream.origin)] != nil else {
      throw Refusal(
        "joinTokenSpent", "cannot join as '\(name)': this join token was already used",
        help: "make a new one: wharf node join-token")
    }
    if let taken = state.nodes.named(name) {
      throw Refusal(
        "nameTaken", "cannot join as '\(name)': \(taken.id) has that name",
        help: "choose another name, or remove that node: wharf node remove \(name)")
    }
    guard state.credentials[credential] == nil else {
      throw Refusal("secretInUse", "this credential is already in use", help: "make a new one")
    }
    try facts.check(to: "join as '\(name)'")
    decision.record(NodeJoined(name: name, credential: credential, facts: facts), on: stream)
  }
}

/// Lets nothing new be placed on a node; what runs there runs on.
package struct CordonNode: Command {
  package static let type = "node.cordon"
  package let node: Name

  package init(node: Name) { self.node = node }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.nodes.require(node)
    if !found.cordoned { decision.record(NodeCordoned(), on: found.id.stream) }
  }
}

package struct UncordonNode: Command {
  package static let type = "node.uncordon"
  package let node: Name

  package init(node: Name) { self.node = node }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.nodes.require(node)
    if found.cordoned { decision.record(NodeUncordoned(), on: found.id.stream) }
  }
}

/// The reconciler's finding that a node was silent for too long.
package struct DeclareNodeLost: Command {
  package static let type = "node.declareLost"
  package static let allowed: Set<Role> = [.system]
  package let node: ID<Node>
  package let silentSeconds: Int

  package init(node: ID<Node>, silentSeconds: Int) {
    self.node = node
    self.silentSeconds = silentSeconds
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard state.nodes[node]?.status == .active else { return }
    decision.record(NodeLost(silentSeconds: silentSeconds), on: node.stream)
  }
}

package struct DeclareNodeReturned: Command {
  package static let type = "node.declareReturned"
  package static let allowed: Set<Role> = [.system]
  package let node: ID<Node>

  package init(node: ID<Node>) { self.node = node }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard state.nodes[node]?.status == .lost else { return }
    decision.record(NodeReturned(), on: node.stream)
  }
}

/// What an agent observed. Only what differs from the state becomes an event.
package struct ReportNode: Command {
  package static let type = "node.report"
  package static let allowed: Set<Role> = [.agent]
  package let bootID: String
  package let incarnation: String
  /// The assignment that the agent acted on when it looked.
  package let generation: Position
  package let facts: NodeFacts
  package let attempts: [ObservedAttempt]

  package init(
    bootID: String, incarnation: String, generation: Position, facts: NodeFacts,
    attempts: [ObservedAttempt]
  ) {
    self.bootID = bootID
    self.incarnation = incarnation
    self.generation = generation
    self.facts = facts
    self.attempts = attempts
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor, let node = state.nodes[ID(stream.origin)]
    else { return }
    try facts.check(to: "report on \(node.name)")
    // A report is judged by a state at or past its assignment, or what is new seems unknown.
    guard generation <= state.position else {
      throw Refusal(
        "generationAhead",
        "cannot report on \(node.name): the agent acts on an assignment of position \(generation), "
          + "and the log ends at \(state.position)",
        help: "if the log was restored, see: wharfd recover")
    }
    guard let event = state.changes(reported: self, by: node) else { return }
    decision.record(event, on: stream)
    // A machine that lost one device may lose the next.
    let vanished = Set(state.missingDevices(of: node, after: event)).subtracting(node.missing)
    if !vanished.isEmpty, !node.cordoned { decision.record(NodeCordoned(), on: stream) }
  }
}

extension NodeFacts {
  package static let mostDevices = 1_024

  fileprivate func check(to attempt: String) throws(Refusal) {
    guard devices.count <= Self.mostDevices, Set(devices.map(\.id)).count == devices.count,
      cpuMillis >= 0
    else {
      throw Refusal(
        "factsOutOfRange",
        "cannot \(attempt): a node has at most \(Self.mostDevices) devices, each with its own id, "
          + "and no less than no processors")
    }
  }
}

/// Takes a node out for good. While attempts are charged there, only on the word that it is off.
package struct RemoveNode: Command {
  package static let type = "node.remove"
  package let node: Name
  package let poweredOff: Bool

  package init(node: Name, poweredOff: Bool) {
    self.node = node
    self.poweredOff = poweredOff
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.nodes.require(node)
    guard found.attempts.isEmpty || poweredOff else {
      throw Refusal(
        "nodeInUse",
        "cannot remove \(node): \(found.attempts.count) attempts are charged there, and nothing "
          + "proves that they ended",
        help: "cordon it and move them away, or give your word that it is off: --powered-off")
    }
    decision.record(NodeRemoved(poweredOff: poweredOff), on: found.id.stream)
  }
}

extension HostingState {
  /// What an agent's report changes; none, if it says what is known.
  package func changes(reported report: ReportNode, by node: Node) -> NodeReported? {
    var changes: [AttemptChange] = []
    let rebooted = !node.bootID.isEmpty && node.bootID != report.bootID
    let seen = Dictionary(report.attempts.map { ($0.id, $0) }) { first, _ in first }
    for id in node.attempts.sorted() {
      guard let attempt = attempts[id] else { continue }
      if let observed = seen[id] {
        if !attempt.isAs(observed) {
          changes.append(AttemptChange(observed, formatLevel: log.formatLevel))
        }
      } else if let proof = proof(ofEnd: attempt, rebooted: rebooted, report.generation) {
        changes.append(AttemptChange(id: id, phase: .ended, reason: proof))
      }
    }
    let facts = node.facts == report.facts ? nil : report.facts
    let sameSession = node.bootID == report.bootID && node.incarnation == report.incarnation
    guard !changes.isEmpty || facts != nil || !sameSession else { return nil }
    return NodeReported(
      bootID: report.bootID, incarnation: report.incarnation, facts: facts, attempts: changes)
  }

  /// Why an attempt that an agent does not list has ended for certain; none, if it may yet begin.
  private func proof(
    ofEnd attempt: Attempt, rebooted: Bool, _ generation: Position
  ) -> String? {
    if attempt.id.placedAt <= generation { return "the agent knows nothing of it" }
    // It ran in the boot before; one only placed was perhaps never heard of, and is still to start.
    return rebooted && attempt.phase != .placed ? "the node was restarted" : nil
  }
}
