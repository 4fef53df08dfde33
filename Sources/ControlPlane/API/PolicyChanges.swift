// Which facts of the policy changed last at which position: what a gateway that knows them up to a position
// is to be told costs what changed since, and not what there is. Pure.

import DequeModule
import Hosting

struct PolicyChanges {
  /// Of so many facts the last change is remembered; a gateway that knows less than the oldest of them is
  /// told everything.
  static let limit = 65_536

  /// Every change after this position is known.
  private(set) var base: Position
  /// The position up to which changes were noted.
  private(set) var through: Position
  private(set) var lastChange: Position
  private var changedAt: [PolicyFact: Position] = [:]
  /// In the order of positions. What changed again since stands further behind once more.
  private var order: Deque<(position: Position, fact: PolicyFact)> = []
  private let limit: Int

  /// Entries held, those that changed again since included.
  var kept: Int { order.count }

  init(knowing position: Position, limit: Int = Self.limit) {
    base = position
    through = position
    lastChange = position
    self.limit = limit
  }

  /// - Parameter position: no earlier than the one before.
  mutating func note(_ facts: Set<PolicyFact>, through position: Position) {
    through = position
    guard !facts.isEmpty else { return }
    lastChange = position
    for fact in facts where changedAt[fact] != position {
      changedAt[fact] = position
      order.append((position, fact))
    }
    forgetOldest()
  }

  private mutating func forgetOldest() {
    while let first = order.first {
      let isStale = changedAt[first.fact] != first.position
      guard isStale || changedAt.count > limit else { break }
      if !isStale {
        changedAt[first.fact] = nil
        base = first.position
      }
      order.removeFirst()
    }
    // What stands in between twice is dropped together, so that all of it costs no more than its changes.
    if order.count > 2 * max(limit, changedAt.count) {
      order.removeAll { changedAt[$0.fact] != $0.position }
    }
  }

  /// The facts that changed after a position, the latest first; none where that is not known any more.
  func since(_ position: Position) -> [PolicyFact]? {
    guard position >= base else { return nil }
    var facts: [PolicyFact] = []
    for change in order.reversed() {
      guard change.position > position else { break }
      if changedAt[change.fact] == change.position { facts.append(change.fact) }
    }
    return facts
  }
}
