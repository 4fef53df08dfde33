// Which snapshots are worth their place: the newest ones, then exponentially fewer, so that the state
// as of any moment is a fold of at most about as many events as have passed since. Pure.
//
// A snapshot's index is its position counted in intervals. One at age `a` (in intervals) stays while
// its index can be divided by the power of two at or below a / `newestKept`: what stays at some age
// stayed at every age before.

import Hosting

package struct SnapshotLimits: Sendable {
  /// Events between two snapshots.
  package var intervalEvents: Int64 = 100_000
  /// So many of the newest are all kept.
  package var newestKept: Int64 = 4
  /// Of another format the newest one is kept for so long, for a wharfd that goes back.
  package var otherFormatIntervals: Int64 = 10
  /// At most so many bytes in one row.
  package var chunkBytes = 1 << 20

  package init() {}
}

extension SnapshotLimits {
  /// Where the next one is due: at whole intervals, so that their indexes follow one another.
  package func due(after last: Position) -> Position {
    Position((index(last) + 1) * intervalEvents)
  }

  /// Those that can go, of snapshots of one format.
  package func superfluous(_ positions: [Position]) -> [Position] {
    guard let newest = positions.max() else { return [] }
    var seen: Set<Int64> = []
    // The later of two in one interval stays.
    return positions.sorted(by: >).filter { position in
      guard position != newest else {
        seen.insert(index(position))
        return false
      }
      let isFirst = seen.insert(index(position)).inserted
      return !isFirst || !isWorthKeeping(index(position), age: index(newest) - index(position))
    }
  }

  /// Whether the newest snapshot of another format can go.
  package func isForgotten(otherFormatAt position: Position, newest: Position) -> Bool {
    index(newest) - index(position) >= otherFormatIntervals
  }

  private func index(_ position: Position) -> Int64 { position.value / intervalEvents }

  private func isWorthKeeping(_ index: Int64, age: Int64) -> Bool {
    var step: Int64 = 1
    while age / newestKept >= step * 2 { step *= 2 }
    return index % step == 0
  }
}
