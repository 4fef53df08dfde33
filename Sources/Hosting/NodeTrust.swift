// Whether a node lets itself be steered by this log. An agent keeps what it saw of the log; one that
// saw what this log does not hold changes nothing and raises an alarm. After a restore that is as it
// should be: the agent acted on facts that are gone. A person looks, and lets it go on in the era.

import HashTreeCollections

/// Why an agent does not believe a log: a code, since its words are an agent's own. Raw values are a
/// storage format.
package enum Mistrust: String, CaseIterable, Sendable, JSONCoded {
  case logRewritten
  /// It speaks for an era that ended before what was seen.
  case eraBefore
  /// Its era began before what was seen: that is lost.
  case eraLost
  /// It assigns what is another node's.
  case otherNode
  /// It assigns by a position that its log does not have.
  case generationAhead
  /// It names other work than before at one position.
  case workChanged
  /// An agent that has no code for it.
  case unsaid

  package func words(seen: Position?) -> String {
    let seen = seen.map { ", seen up to \($0)" } ?? ""
    return switch self {
    case .logRewritten: "the log was rewritten since this node saw it\(seen)"
    case .eraBefore: "the log is of an earlier era than the one this node saw\(seen)"
    case .eraLost: "the era began before what this node has seen of the log\(seen)"
    case .otherNode: "it was given the work of another node\(seen)"
    case .generationAhead: "its assignment is past the end of the log\(seen)"
    case .workChanged: "its assignment changed without an event\(seen)"
    case .unsaid: "its agent does not believe this log\(seen)"
    }
  }
}

// MARK: Events

package enum NodeTrustEvents {
  static let types: [any Event.Type] = [NodeAlarmed.self, EraAccepted.self]
}

/// The agent of a node raised its alarm, or took it back.
package struct NodeAlarmed: Event {
  package static let type = "nodeAlarmed"
  /// In words, in a log that may not hold a cause yet.
  package let alarm: Text?
  /// How far the agent has seen the log.
  package let seen: Position?
  /// With neither this nor words the agent believes this log again.
  package let cause: Mistrust?

  package init(alarm: Text?, seen: Position?, cause: Mistrust? = nil) {
    self.alarm = alarm
    self.seen = seen
    self.cause = cause
  }

  /// What people are told.
  package var words: Text? { alarm ?? cause.flatMap { try? Text($0.words(seen: seen)) } }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeNode(fact.subject(), fact) { $0.alarm = words }
  }
}

/// A person lets a node be steered by this era, whatever it saw of another one.
package struct EraAccepted: Event {
  package static let type = "eraAccepted"
  /// The position at which the era began.
  package let era: Position

  package init(era: Position) { self.era = era }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    // The agent's next question is answered with an assignment that says so.
    try state.reassign(fact.subject(), fact) { $0.acceptedEra = era }
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
  /// None when it believes this log again.
  package let cause: Mistrust?
  package let seen: Position?

  package init(cause: Mistrust?, seen: Position?) {
    self.cause = cause
    self.seen = seen
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor, let node = state.nodes[ID(stream.origin)]
    else { return }
    guard (node.alarm == nil) != (cause == nil) else { return }
    let event = NodeAlarmed(alarm: nil, seen: seen, cause: cause)
    let isCoded = state.log.formatLevel >= FormatLevel.kept
    decision.record(isCoded ? event : NodeAlarmed(alarm: event.words, seen: seen), on: stream)
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
