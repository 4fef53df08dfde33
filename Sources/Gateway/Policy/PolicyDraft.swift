// All of the policy, told in pages that may be of different heads: no policy before what changed since the
// first of them is told as well. Pure.

import Hosting
import Wire

struct PolicyDraft: Equatable, Sendable {
  private(set) var index = PolicyIndex()
  /// Of the first page: what is told behind the last one is what changed since.
  let base: PolicyProgress.Held
  /// What the next page is asked for with; none behind the last.
  private(set) var next: String?

  var era: Position { base.era }

  init(_ first: PolicyNews) {
    base = PolicyProgress.Held(position: first.position, era: first.head.era)
    add(first)
  }

  mutating func add(_ page: PolicyNews) {
    index.add(page)
    next = page.next
  }
}
