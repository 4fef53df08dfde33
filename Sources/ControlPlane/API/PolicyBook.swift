// What gateways are told: from a head, and from which facts changed on the way to it. Follows the heads by
// the events that led to them; where those are not at hand any more it begins anew, and gateways are told
// everything once.

import EventLog
import Hosting
import Synchronization
import Wire

package final class PolicyBook: Sendable {
  private struct Kept {
    /// Positions mean the same within an era only.
    let era: Position
    let follower: HeadFollower
    var state: HostingState
    var changes: PolicyChanges
  }

  private let board: HeadBoard
  private let assignments: Assignments
  private let pageFacts: Int
  private let kept = Mutex<Kept?>(nil)

  init(board: HeadBoard, assignments: Assignments, pageFacts: Int = PolicyFacts.pageFacts) {
    self.board = board
    self.assignments = assignments
    self.pageFacts = pageFacts
  }

  /// The last position up to this head that may have changed what gateways are told.
  package func lastChange(at head: Head) -> Position {
    kept.withLock { kept in
      follow(head, &kept)
      return min(kept?.changes.lastChange ?? head.state.position, head.state.position)
    }
  }

  private func follow(_ head: Head, _ kept: inout Kept?) {
    let era = head.witness.era
    guard var known = kept, known.era == era else {
      let position = head.state.position
      kept = Kept(
        era: era, follower: board.follower(from: position), state: head.state,
        changes: PolicyChanges(knowing: position))
      return
    }
    guard known.changes.through < head.state.position else { return }
    kept = nil
    if let facts = facts(changedSince: known, head) {
      known.changes.note(facts, through: head.state.position)
    } else {
      known.changes = PolicyChanges(knowing: head.state.position)
    }
    known.state = head.state
    kept = known
  }

  /// None where that cannot be told.
  private func facts(changedSince known: Kept, _ head: Head) -> Set<PolicyFact>? {
    guard let events = known.follower.take(through: head.state.position) else { return nil }
    var facts: Set<PolicyFact> = []
    for event in events where Self.concerns(event.stream.kind) {
      guard
        let body = try? EventTypes.decode(
          type: event.type, schemaVersion: event.schemaVersion, data: event.data),
        case .facts(let changed) = head.state.policyChange(
          by: body, on: event.stream, since: known.state)
      else { return nil }
      facts.formUnion(changed)
    }
    return facts
  }

  /// Of the others nothing is told; what is personal in them is sealed.
  private static func concerns(_ kind: Kind) -> Bool {
    switch kind {
    case .person, .engine, .gateway: false
    default: true
    }
  }

  // MARK: Telling

  package struct Asked: Sendable {
    /// What is known up to this position, of this era; none: nothing is.
    package var after: Position?
    package var era: Position
    /// The place of a page, where all is asked for and not the first of it.
    package var page: String?

    package init(after: Position?, era: Position, page: String? = nil) {
      self.after = after
      self.era = era
      self.page = page
    }
  }

  package enum Answer: Sendable {
    /// Nothing changed.
    case nothing
    /// All that there is to the policy of this head, together with what is known.
    case news(PolicyNews)
    /// A part of all: no policy yet.
    case page(PolicyNews)
    /// There is no such page.
    case unknownPage
  }

  package func answer(_ asked: Asked, at head: Head) -> Answer {
    // What is told from here on is followed from here on.
    kept.withLock { follow(head, &$0) }
    var news = empty(head)
    let facts = PolicyFacts(state: head.state) { [assignments] in assignments.engineKey(of: $0) }
    if let page = asked.page {
      guard let place = PolicyFacts.Place(text: page) else { return .unknownPage }
      news.next = facts.addPage(from: place, to: &news, limit: pageFacts)?.text
      return .page(news)
    }
    if let after = asked.after, let changed = changed(after, asked.era, head) {
      guard !changed.isEmpty else { return .nothing }
      news.since = after
      for fact in changed { facts.add(fact, to: &news) }
      return .news(news)
    }
    news.next = facts.addPage(from: .first, to: &news, limit: pageFacts)?.text
    return news.next == nil ? .news(news) : .page(news)
  }

  /// What there is to tell when nothing changed, to whoever needs more than silence.
  package func unchanged(_ asked: Asked, at head: Head) -> PolicyNews {
    var news = empty(head)
    news.since = asked.after
    return news
  }

  private func changed(_ after: Position, _ era: Position, _ head: Head) -> [PolicyFact]? {
    guard era == head.witness.era, after <= head.state.position else { return nil }
    return kept.withLock { kept in
      follow(head, &kept)
      return kept?.changes.since(after)
    }
  }

  private func empty(_ head: Head) -> PolicyNews {
    // Whoever hands shares out has to know all that hold some: the log names them from then on.
    let isNamed = head.state.log.formatLevel >= FormatLevel.kept
    return PolicyNews(
      position: head.state.position, head: head.witness, recordedAt: head.state.recordedAt,
      leaseSeconds: Leases.policySeconds, graceSeconds: isNamed ? head.state.graceSeconds : 0,
      sharesLimits: isNamed)
  }
}
