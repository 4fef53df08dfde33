// What gateways saw of engines within the last minute, added up over all of them. In the leader's
// memory, on its monotonic clock: a new leader judges by what it is told itself.

import Hosting
import Planner
import Synchronization
import Time
import Wire

package final class SightingBook: Sendable {
  private struct Seen {
    let at: Clocks.Instant
    let counts: Signals.Sighting
  }

  /// More reports of one gateway within the window are added to its last one.
  private static let reportsPerGatewayLimit = 64

  /// Added up this often, however often a pass asks.
  private static let sumEverySeconds = 1.0

  private struct Book {
    var seen: [AttemptID: [ID<Gateway>: [Seen]]] = [:]
    var sums: [AttemptID: Signals.Sighting] = [:]
    var summedAt: Clocks.Instant?
  }

  private let book = Mutex(Book())

  package init() {}

  /// - Parameter known: whether an attempt may still run: others take no room.
  func saw(
    _ sightings: GatewaySightings, by gateway: ID<Gateway>, at now: Clocks.Instant,
    known: (AttemptID) -> Bool
  ) {
    let items = sightings.items.prefix(GatewaySightings.itemsLimit).filter { known($0.attempt) }
    book.withLock { book in
      for item in items {
        let counts = Signals.Sighting(
          asked: item.asked, answered: item.answered, gaveUp: item.gaveUp)
        var seen = book.seen[item.attempt]?[gateway] ?? []
        if seen.count >= Self.reportsPerGatewayLimit, let last = seen.popLast() {
          seen.append(Seen(at: now, counts: last.counts + counts))
        } else {
          seen.append(Seen(at: now, counts: counts))
        }
        book.seen[item.attempt, default: [:]][gateway] = seen
      }
    }
  }

  /// What was seen within the window of those attempts that requests were given up on in it.
  func sightings(at now: Clocks.Instant) -> [AttemptID: Signals.Sighting] {
    book.withLock { book in
      if let last = book.summedAt, now - last < .seconds(Self.sumEverySeconds) { return book.sums }
      book.summedAt = now
      let since = now - .seconds(Signals.Sighting.windowSeconds)
      book.seen = book.seen.compactMapValues { gateways in
        let left = gateways.compactMapValues { seen in
          let recent = seen.filter { $0.at >= since }
          return recent.isEmpty ? nil : recent
        }
        return left.isEmpty ? nil : left
      }
      book.sums = book.seen.mapValues { gateways in
        gateways.values.joined().reduce(Signals.Sighting()) { $0 + $1.counts }
      }.filter { $0.value.gaveUp > 0 }
      return book.sums
    }
  }

  func clear() { book.withLock { $0 = Book() } }
}
