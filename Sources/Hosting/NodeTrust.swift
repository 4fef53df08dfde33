// Whether a node lets itself be steered by this log. An agent keeps what it saw of the log; one that
// saw what this log does not hold changes nothing and raises an alarm. After a restore that is as it
// should be: the agent acted on facts that are gone. A person looks, and lets it go on in the era.

import HashTreeCollections

// MARK: Events

package enum NodeTrustEvents {
  static let types: [any Event.Type] = [NodeAlarmed.self, EraAccepted.self]
}

/// The agent of a node raised its alarm, or took it back.
package struct NodeAlarmed: Event {
  package static let type = "nodeAlarmed"
  /// In the agent's words; none when it believes this log again.
  package let alarm: Text?
  /// How far the agent has seen the log.
  package let seen: Position?

  package init(alarm: Text?, seen: Position?) {
    self.alarm = alarm
    self.seen = seen
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.nodes.update(fact.subject()) { $0.alarm = alarm }
  }
}

/// A person lets a node be steered by this era, whatever it saw of another one.
package struct EraAccepted: Event {
  package static let type = "eraAccepted"
  /// The position at which the era began.
  package let era: Position

  package init(era: Position) { self.era = era }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.nodes.update(fact.subject()) { node in
      node.acceptedEra = era
      // The agent's next question is answered with an assignment that says so.
      node.generation = fact.position
    }
  }
}

// MARK: Commands

package enum NodeTrustCommands {
  static let types: [any Command.Type] = [RaiseNodeAlarm.self, AcceptEra.self]
}

/// The agent's own word on whether it believes this log. Only a change is recorded.
package struct RaiseNodeAlarm: Command {
  package static let type = "node.raiseAlarm"
  package static let allowed: Set<Role> = [.agent]
  package let alarm: Text?
  package let seen: Position?

  package init(alarm: Text?, seen: Position?) {
    self.alarm = alarm
    self.seen = seen
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor, let node = state.nodes[ID(stream.origin)]
    else { return }
    if (node.alarm == nil) != (alarm == nil) {
      decision.record(NodeAlarmed(alarm: alarm, seen: seen), on: stream)
    }
  }
}

/// Lets a node's agent follow the era that is, though it saw more of an earlier one.
package struct AcceptEra: Command {
  package static let type = "node.acceptEra"
  package let node: Name

  package init(node: Name) { self.node = node }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.nodes.require(node)
    guard let era = state.log.era?.position, found.alarm != nil else {
      throw Refusal(
        "noAlarm", "cannot accept the era for node \(found.name): its agent raised no alarm",
        help: "see what it says with: wharf node show \(found.name)")
    }
    if found.acceptedEra != era { decision.record(EraAccepted(era: era), on: found.id.stream) }
  }
}
