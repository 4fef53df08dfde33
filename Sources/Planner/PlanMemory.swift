// What one pass leaves for the next, so that it looks at nodes that changed only. Nothing is planned by it that would
// not be planned without.

import HashTreeCollections
import Hosting

package struct PlanMemory: Sendable {
  private struct Known: Sendable {
    /// A state of the log, and no trial: of two futures the same position says nothing.
    var state: HostingState
    var pool: NodePool
    /// Nodes that are closed until then.
    var openings: [ID<Node>: Timestamp]
  }

  private var known: Known?

  package init() {}

  /// Hands it on, so that nothing of it is copied.
  mutating func take() -> PlanMemory {
    defer { known = nil }
    return self
  }

  /// The open nodes of a state, none of which anything was taken from.
  mutating func pool(of state: HostingState, now: Timestamp) -> NodePool {
    guard var known = known.take(), known.state.log.era == state.log.era,
      known.state.position <= state.position
    else {
      let pool = NodePool(state, now: now)
      let openings = state.nodes.byID.compactMapValues {
        $0.opensAt.flatMap { $0 > now ? $0 : nil }
      }
      self.known = Known(
        state: state, pool: pool,
        openings: Dictionary(uniqueKeysWithValues: openings.map { ($0.key, $0.value) }))
      return pool
    }
    var changed = state.changedNodes(since: known.state)
    changed.formUnion(known.openings.filter { $0.value <= now }.keys)
    known.pool.update(changed, in: state, now: now)
    for id in changed {
      known.openings[id] = state.nodes[id]?.opensAt.flatMap { $0 > now ? $0 : nil }
    }
    known.state = state
    self.known = known
    return known.pool.begun()
  }
}
