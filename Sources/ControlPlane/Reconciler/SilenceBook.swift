// Which nodes were not heard for long, at the cost of what is heard and of what is silent, and not of what
// there is. Pure.
//
// Invariant: since the span began a node is one of three. It was heard, and stands in the order with when that
// was; it was heard so long ago that it was taken out of the order; or it was not heard.

import DequeModule
import HashTreeCollections
import Hosting
import Time

struct SilenceBook {
  /// The longest ago first. Of a node that was heard again the older entries say nothing any more.
  private var order: Deque<(heardAt: Clocks.Instant, node: ID<Node>)> = []
  private var heardAt: [ID<Node>: Clocks.Instant] = [:]
  private var longSilent: Set<ID<Node>> = []
  private var unheard: Set<ID<Node>> = []
  /// The nodes of this state are known here; none before the first of a span.
  private var known: HostingState?

  /// Entries held, those that say nothing any more included.
  var kept: Int { order.count }

  mutating func hear(_ node: ID<Node>, at now: Clocks.Instant) {
    heardAt[node] = now
    order.append((now, node))
    longSilent.remove(node)
    unheard.remove(node)
  }

  /// Takes note of who came and who went.
  mutating func follow(_ state: HostingState) {
    defer { known = state }
    guard let known else {
      unheard = Set(state.nodes.byID.keys.filter { heardAt[$0] == nil })
      return
    }
    for node in state.reassigned(since: known) {
      if state.nodes[node] == nil {
        heardAt[node] = nil
        longSilent.remove(node)
        unheard.remove(node)
      } else if heardAt[node] == nil {
        unheard.insert(node)
      }
    }
  }

  struct Silence: Equatable {
    /// Not heard for this long at least, and since when they are silent.
    var long: [ID<Node>: Clocks.Instant] = [:]
    /// Not heard since the span began.
    var unheard: Set<ID<Node>> = []
    /// When that one of the others was heard which was heard the longest ago.
    var restHeardAt: Clocks.Instant?
  }

  /// - Parameter shortest: what is silent for less is told of as the rest.
  mutating func silence(ofAtLeast shortest: Duration, at now: Clocks.Instant) -> Silence {
    while let first = order.first {
      let isCurrent = heardAt[first.node] == first.heardAt
      guard !isCurrent || now - first.heardAt >= shortest else { break }
      if isCurrent { longSilent.insert(first.node) }
      order.removeFirst()
    }
    var silence = Silence(unheard: unheard, restHeardAt: order.first?.heardAt)
    for node in longSilent { silence.long[node] = heardAt[node] }
    return silence
  }
}
