// The memory that bodies of requests take, all together. A key is looked at before its body is read, so
// that only those with a right to ask take any of it.

import Synchronization

final class BodyBudget: Sendable {
  private let left: Atomic<Int>

  init(bytes: Int) { left = Atomic(bytes) }

  fileprivate func take(_ bytes: Int) -> Bool {
    if left.subtract(bytes, ordering: .relaxed).newValue >= 0 { return true }
    give(bytes)
    return false
  }

  fileprivate func give(_ bytes: Int) { left.add(bytes, ordering: .relaxed) }
}

/// What one request's body takes of it; given back when nobody holds it any more.
final class BodyRoom: Sendable {
  private let budget: BodyBudget
  private let taken = Atomic(0)

  init(_ budget: BodyBudget) { self.budget = budget }

  /// Whether there was so much left.
  func take(_ bytes: Int) -> Bool {
    guard budget.take(bytes) else { return false }
    taken.add(bytes, ordering: .relaxed)
    return true
  }

  deinit { budget.give(taken.load(ordering: .relaxed)) }
}
