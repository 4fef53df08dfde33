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
  /// Attempts of which processes run that the agent has no record of.
  package let strangers: [AttemptID]?
  /// Processes of its engines' folder that belong to nobody knows which attempt.
  package let unknownProcesses: Int?
  /// What ails the node; none from an agent that cannot tell.
  package let troubles: [NodeTrouble]?

  package init(
    bootID: String, incarnation: String, generation: Position, facts: NodeFacts,
    attempts: [ObservedAttempt], strangers: [AttemptID]? = nil, unknownProcesses: Int? = nil,
    troubles: [NodeTrouble]? = nil
  ) {
    self.bootID = bootID
    self.incarnation = incarnation
    self.generation = generation
    self.facts = facts
    self.attempts = attempts
    self.strangers = strangers
    self.unknownProcesses = unknownProcesses
    self.troubles = troubles
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor, let node = state.nodes[ID(stream.origin)]
    else { return }
    let attempted = "report on \(node.name)"
    try facts.check(to: attempted)
    try NodeFacts.check(bootID, "a boot id", to: attempted)
    try NodeFacts.check(incarnation, "an incarnation", to: attempted)
    for endpoint in attempts.compactMap(\.endpoint) {
      try NodeFacts.check(endpoint, "the address of an engine", to: attempted)
    }
    // A report is judged by a state at or past its assignment, or what is new seems unknown.
    guard generation <= state.position else {
      throw Refusal(
        "generationAhead",
        "cannot report on \(node.name): the agent acts on an assignment of position \(generation), "
          + "and the log ends at \(state.position)",
        help: "if the log was restored, see: wharfd recover")
    }
    if let troubled = state.changes(troubling: self, node) { decision.record(troubled, on: stream) }
    guard let event = state.changes(reported: self, by: node) else { return }
    decision.record(event, on: stream)
    // A machine that lost one device may lose the next.
    let vanished = Set(state.missingDevices(of: node, after: event)).subtracting(node.missing)
    if !vanished.isEmpty, !node.cordoned { decision.record(NodeCordoned(), on: stream) }
  }
}

extension NodeFacts {
  package static let mostDevices = 1_024
  /// Of a word that a machine says: the name of a device, an address.
  package static let longestWord = 255

  /// What a machine says stands in the log for ever, and in every table.
  fileprivate static func check(
    _ word: String, _ what: String, to attempt: String
  ) throws(Refusal) {
    guard word.utf8.count <= longestWord, word.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
      throw Refusal(
        "factsOutOfRange",
        "cannot \(attempt): \(what) has at most \(longestWord) characters, all of them printable "
          + "ASCII", help: "see to what the agent is told, or finds out, of its machine")
    }
  }

  fileprivate func check(to attempt: String) throws(Refusal) {
    guard devices.count <= Self.mostDevices, Set(devices.map(\.id)).count == devices.count,
      cpuMillis >= 0
    else {
      throw Refusal(
        "factsOutOfRange",
        "cannot \(attempt): a node has at most \(Self.mostDevices) devices, each with its own id, "
          + "and no less than no processors",
        help: "see to what the agent is told, or finds out, of its machine")
    }
    try Self.check(address, "the address of a node", to: attempt)
    for device in devices {
      try Self.check(device.id, "the id of a device", to: attempt)
      try Self.check(device.model, "the model of a device", to: attempt)
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
    let count = found.attempts.count
    guard count == 0 || poweredOff else {
      let areEnding = state.departing(on: found).count == count
      throw Refusal(
        "nodeInUse",
        "cannot remove \(node): \(count == 1 ? "1 attempt is" : "\(count) attempts are") charged "
          + "there, and nothing proves that \(count == 1 ? "it" : "they") ended",
        help: (areEnding
          ? "wait until what stops there has ended: 'wharf node show \(node)' lists it"
          : "cordon it with 'wharf node cordon \(node)' and end what runs there, each with 'wharf "
            + "replica restart', which places it elsewhere")
          + "; or give your word that the node is off: --powered-off")
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
    let strangers = Set(report.strangers ?? [])
    for id in node.attempts.sorted() {
      guard let attempt = attempts[id] else { continue }
      if let observed = seen[id] {
        // Nothing has ended of which a process runs, whatever else is said of it.
        if observed.phase == .ended, strangers.contains(id) { continue }
        let change = AttemptChange(observed, of: attempt, formatLevel: log.formatLevel)
        if !attempt.isAs(change) { changes.append(change) }
      } else if !strangers.contains(id), let cause = proof(ofEnd: attempt, rebooted, report) {
        let ended = ObservedAttempt(id: id, phase: .ended, cause: cause)
        changes.append(AttemptChange(ended, of: attempt, formatLevel: log.formatLevel))
      }
    }
    let facts = node.facts == report.facts ? nil : report.facts
    let sameSession = node.bootID == report.bootID && node.incarnation == report.incarnation
    guard !changes.isEmpty || facts != nil || !sameSession else { return nil }
    return NodeReported(
      bootID: report.bootID, incarnation: report.incarnation, facts: facts, attempts: changes)
  }

  /// What now ails a node that did not, or no longer does; none where the log cannot hold it yet.
  package func changes(troubling report: ReportNode, _ node: Node) -> NodeTroubled? {
    guard let troubles = report.troubles, log.formatLevel >= NodeTroubled.formatLevel else {
      return nil
    }
    let sorted = Set(troubles).sorted { $0.rawValue < $1.rawValue }
    return sorted == node.troubles ? nil : NodeTroubled(troubles: sorted)
  }

  /// Why an attempt that an agent does not list has ended for certain; none, if it may yet begin, or if
  /// a process runs that may be of it.
  private func proof(
    ofEnd attempt: Attempt, _ rebooted: Bool, _ report: ReportNode
  ) -> AttemptCause? {
    let mayRun = (report.unknownProcesses ?? 0) > 0
    if attempt.id.placedAt <= report.generation, !mayRun { return .unknownToAgent }
    // It ran in the boot before; one only placed was perhaps never heard of, and is still to start.
    return rebooted && attempt.phase != .placed ? .nodeRestarted : nil
  }
}
