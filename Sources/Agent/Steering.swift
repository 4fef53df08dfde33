// Whom an agent lets itself be steered by. It keeps what it saw of the log (era, position, hash)
// and the assignment it acts on; whatever does not fit these is not acted on. Pure.

import Hosting
import Wire

package struct Steering: Equatable, Sendable {
  package private(set) var head: HeadWitness?
  package private(set) var assignment: Assignment?
  /// Why the last thing heard was not believed; none when it was.
  package private(set) var alarm: String?
  /// The same as a code.
  package private(set) var mistrust: Mistrust?

  package init(head: HeadWitness? = nil, assignment: Assignment? = nil) {
    self.head = head
    self.assignment = assignment
    if let later = assignment?.head, (head?.position ?? .empty) < later.position {
      self.head = later
    }
  }

  package enum Verdict: Equatable, Sendable {
    /// At or past what was seen.
    case believed
    /// From a server that lags behind: true, and of no use.
    case behind
    case mistrusted(String)
  }

  /// Judges a head, and remembers the furthest.
  ///
  /// - Parameter echo: what the log holds at the position that was seen last.
  package mutating func hear(_ heard: HeadWitness, _ echo: SeenEcho? = nil) -> Verdict {
    if let doubt = doubt(heard, echo) {
      (alarm, mistrust) = (doubt.reason, doubt.mistrust)
      return .mistrusted(doubt.reason)
    }
    if let head, heard.era == head.era, heard.position < head.position { return .behind }
    head = heard
    (alarm, mistrust) = (nil, nil)
    return .believed
  }

  private func doubt(
    _ heard: HeadWitness, _ echo: SeenEcho?
  ) -> (mistrust: Mistrust, reason: String)? {
    guard let head else { return nil }
    if let contradiction = head.contradiction(in: heard, echo) {
      return (.logRewritten, "the log was rewritten: \(contradiction)")
    }
    if heard.era < head.era {
      return (
        .eraBefore,
        "the control plane speaks for the era that began at \(heard.era), "
          + "but the one that began at \(head.era) was seen"
      )
    }
    if heard.era > head.era {
      // A new era may only follow what was seen. One that begins before says that facts this agent
      // acted on were lost: a restored backup, a stale standby.
      guard head.position < heard.era else {
        return (
          .eraLost,
          "the control plane's era began at \(heard.era), "
            + "but the log was seen up to \(head.position) before it"
        )
      }
      return nil
    }
    if heard.position == head.position, heard.hash != head.hash {
      return (
        .logRewritten, "the log holds another event at \(head.position) than the one seen there"
      )
    }
    return nil
  }

  package enum Offer: Equatable, Sendable {
    case accepted
    /// The one acted on, again.
    case unchanged
    /// Older than the one acted on.
    case stale
    case mistrusted(String)
  }

  /// Judges an assignment for `node`, and makes it the one acted on when it is newer.
  package mutating func offer(
    _ offered: Assignment, for node: Stream, _ echo: SeenEcho? = nil
  ) -> Offer {
    guard offered.node == node else {
      return disbelieve(.otherNode, "the assignment is for \(offered.node), and this is \(node)")
    }
    guard offered.generation <= offered.head.position else {
      return disbelieve(
        .generationAhead,
        "generation \(offered.generation) is past the head of its log, \(offered.head.position)"
      )
    }
    if isLetInto(offered) {
      (head, assignment, alarm, mistrust) = (offered.head, offered, nil, nil)
      return .accepted
    }
    if case .mistrusted(let reason) = hear(offered.head, echo) { return .mistrusted(reason) }
    if let acted = assignment {
      if offered.generation < acted.generation { return .stale }
      if offered.generation == acted.generation {
        guard Self.sameWork(offered, acted) else {
          return disbelieve(
            .workChanged, "generation \(acted.generation) names other attempts than it did before")
        }
        return .unchanged
      }
    }
    assignment = offered
    return .accepted
  }

  /// A person lets this node follow an era that does not hold what was seen. Of an era that is
  /// followed already the word is spent: it does not cover what is rewritten in it later.
  private func isLetInto(_ offered: Assignment) -> Bool {
    guard let head, let era = offered.acceptedEra else { return false }
    return era == offered.head.era && era > head.era
  }

  private mutating func disbelieve(_ cause: Mistrust, _ reason: String) -> Offer {
    (alarm, mistrust) = (reason, cause)
    return .mistrusted(reason)
  }

  /// Whether the node was removed: by a proved word about this very node, of a log that holds what was
  /// seen and goes on at least as far. Any other refusal (another log, one that was restored, a proxy
  /// that answers in the control plane's place) proves nothing.
  package mutating func believes(
    _ removal: NodeRemovedReply, of node: Stream, _ echo: SeenEcho?
  ) -> Bool {
    guard removal.node == node, removal.position > node.origin,
      removal.position <= removal.head.position
    else { return false }
    return hear(removal.head, echo) == .believed
  }

  private static func sameWork(_ a: Assignment, _ b: Assignment) -> Bool {
    func work(_ assignment: Assignment) -> [AttemptID: [String]] {
      Dictionary(assignment.attempts.map { ($0.id, $0.devices) }) { first, _ in first }
    }
    return work(a) == work(b)
  }
}
