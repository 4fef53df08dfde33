// What gateways saw of engines within the last minute, and since their last answers, added up over all of them. In
// the leader's memory, on its monotonic clock: a new leader judges by what it is told itself.

import Hosting
import Planner
import Synchronization
import Time
import Wire

package final class SightingBook: Sendable {
  fileprivate struct Seen {
    let at: Clocks.Instant
    let counts: Signals.Sighting
  }

  /// More reports of one gateway within the window are added to its last one.
  private static let reportsPerGatewayLimit = 64

  /// Added up this often, however often a pass asks.
  private static let sumEverySeconds = 1.0

  /// Since the last answer.
  fileprivate struct Silence {
    var since: Clocks.Instant
    var last: Clocks.Instant
    var asked = 0
    var gaveUp = 0

    static let longest = Duration.seconds(Signals.Sighting.Silence.longestSeconds)
  }

  fileprivate struct Book {
    var silences: [AttemptID: Silence] = [:]
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
        book.note(counts, of: item.attempt, at: now)
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

  /// What was seen within the window of those attempts that requests were given up on in it, or since their last
  /// answer.
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
      book.addSilences(at: now)
      return book.sums
    }
  }

  func clear() { book.withLock { $0 = Book() } }
}

extension SightingBook.Book {
  fileprivate mutating func note(
    _ counts: Signals.Sighting, of attempt: AttemptID, at now: Clocks.Instant
  ) {
    guard counts.answered == 0 else {
      silences[attempt] = nil
      return
    }
    var silence = silences[attempt] ?? .init(since: now, last: now)
    if now - silence.since > SightingBook.Silence.longest { silence = .init(since: now, last: now) }
    silence.last = now
    silence.asked = Signals.Sighting.sum(silence.asked, counts.asked)
    silence.gaveUp = Signals.Sighting.sum(silence.gaveUp, counts.gaveUp)
    silences[attempt] = silence
  }

  /// Where they say more than the window does.
  fileprivate mutating func addSilences(at now: Clocks.Instant) {
    silences = silences.filter { now - $0.value.last <= SightingBook.Silence.longest }
    for (attempt, silence) in silences where silence.gaveUp > sums[attempt]?.gaveUp ?? 0 {
      var sighting = sums[attempt] ?? Signals.Sighting()
      sighting.silence = .init(
        asked: silence.asked, gaveUp: silence.gaveUp, seconds: Int((now - silence.since).seconds))
      sums[attempt] = sighting
    }
  }
}
