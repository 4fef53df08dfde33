// The best node for the next replica of one deployment: of those it fits on, one with the fewest of its
// replicas; of those the first in the order of the pool. It remembers how far it came, so that a deployment of
// a thousand replicas does not walk past the same nodes a thousand times.
//
// Invariants, of nodes that its needs fit on:
//  1. None has fewer of its replicas than `fewest`.
//  2. None before `start` has as few as that.
//
// Both hold on while others place too: within a pass nodes only get fuller, so none begins to fit, and none
// loses a replica. Only 2 breaks, where a node was taken from and so moved to before `start`: then `start` goes
// back to it (`catchUp`). A node that this deployment itself took has one replica more, and breaks nothing.

import HashTreeCollections
import Hosting

struct NodeSearch {
  private let needs: Needs
  /// Its replicas on each node, by the node's slot.
  private var counts: [Int: Int] = [:]
  private var fewest = 0
  /// None: at the first.
  private var start: NodePool.Key?
  /// How many of the pool's moves `start` takes into account.
  private var movesSeen: Int

  init(_ needs: Needs, placedOn counts: TreeDictionary<ID<Node>, Int>, _ pool: NodePool) {
    self.needs = needs
    movesSeen = pool.moves.count
    for (node, count) in counts {
      if let slot = pool.slots[node] { self.counts[slot] = count }
    }
  }

  func count(on slot: Int) -> Int { counts[slot] ?? 0 }

  /// - Parameter shunned: the node that the replica just failed on: taken where there is no other.
  /// - Returns: the slot of the node; none if none fits.
  mutating func best(in pool: NodePool, shunning shunned: Int?) -> Int? {
    catchUp(with: pool)
    if let shunned {
      // One node is left out, so what is found says nothing of `fewest`, and nothing of `start`.
      if let other = walk(pool, from: nil, shunning: shunned) { return other.key.slot }
      return pool.fits(needs, on: shunned) ? shunned : nil
    }
    if let start, let found = walk(pool, from: start), found.count == fewest {
      self.start = found.key
      return found.key.slot
    }
    // None is left with so few: `fewest` rises, and all nodes are looked at anew.
    guard let found = walk(pool, from: nil) else { return nil }
    fewest = found.count
    start = found.key
    return found.key.slot
  }

  mutating func took(_ slot: Int, in pool: NodePool) {
    counts[slot, default: 0] += 1
    movesSeen = pool.moves.count
  }

  private mutating func catchUp(with pool: NodePool) {
    if let start { self.start = pool.moves[movesSeen...].reduce(start) { min($0, $1) } }
    movesSeen = pool.moves.count
  }

  /// Of the nodes that fit, the first one with the fewest replicas. By invariant 1 the walk ends at one that
  /// has no more than `fewest`.
  private func walk(
    _ pool: NodePool, from start: NodePool.Key?, shunning shunned: Int? = nil
  ) -> (key: NodePool.Key, count: Int)? {
    var best: (key: NodePool.Key, count: Int)?
    pool.walk(for: needs, from: start) { slot, key in
      guard slot != shunned else { return false }
      let count = count(on: slot)
      if count < best?.count ?? .max { best = (key, count) }
      return count <= fewest
    }
    return best
  }
}
