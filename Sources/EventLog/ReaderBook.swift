// Who reads the log in this program for as long as it runs, and how far each has come. A reader only
// says where it is; whether it is behind is judged from outside, since one that hangs in a statement or
// on a slow peer says nothing any more.

import Hosting
import Logging
import Synchronization
import Time

/// A reader that is behind, as it was at the last look.
package struct BehindReader: Equatable, Sendable {
  package let name: String
  /// It has read the log up to here.
  package let position: Position
  /// Where the log ended.
  package let head: Position
  /// Since when the log holds what it has not read.
  package let since: Timestamp

  package var events: Int64 { head.value - position.value }
}

package final class ReaderBook: Sendable {
  /// A reader that has not read what the log held so long ago is told of.
  package static let usualBehindLimit = Duration.seconds(10)

  private struct Entry {
    let name: String
    /// What it had not read before is not its lag.
    let entered: Clocks.Instant
    var position: Position
    var alarm = BehindAlarm()
    var told: BehindReader?
  }

  private struct Contents {
    var history = HeadHistory()
    var entries: [Int: Entry] = [:]
    var nextID = 0
  }

  private let contents = Mutex(Contents())
  private let limit: Duration
  private let clocks: Clocks
  private let logger: Logger

  package init(
    behindLimit: Duration = usualBehindLimit, clocks: Clocks = .system, logger: Logger
  ) {
    limit = behindLimit
    self.clocks = clocks
    self.logger = logger
  }

  /// Enters a reader; it stands in the book for as long as what is returned is kept.
  package func enter(_ name: String, at position: Position) -> ReaderPlace {
    let now = clocks.now
    return contents.withLock { contents in
      contents.nextID += 1
      contents.entries[contents.nextID] = Entry(name: name, entered: now, position: position)
      return ReaderPlace(id: contents.nextID, book: self)
    }
  }

  /// Those that are behind, those that entered first before others.
  package var behind: [BehindReader] {
    contents.withLock { contents in
      contents.entries.sorted { $0.key < $1.key }.compactMap { $0.value.told }
    }
  }

  /// Judges all readers, and says of whom that has changed.
  ///
  /// - Parameters:
  ///   - head: where the log ends.
  ///   - time: the same moment as `now`, for people.
  package func look(head: Position, at now: Clocks.Instant, time: Timestamp) {
    let changes = contents.withLock { contents in
      contents.history.note(head, at: now)
      let history = contents.history
      let ids = contents.entries.keys.sorted()
      return ids.compactMap { id -> (BehindReader, BehindAlarm.Change)? in
        var entry = contents.entries[id]!
        defer { contents.entries[id] = entry }
        let unread = history.firstKnown(after: entry.position).map { max($0, entry.entered) }
        let change = entry.alarm.look(unreadSince: unread, limit: limit, at: now)
        let begin = entry.alarm.since ?? now
        let reader = BehindReader(
          name: entry.name, position: entry.position, head: max(head, entry.position),
          since: time.before(now - begin))
        // Since when does not waver, though the two clocks differ a little.
        entry.told = entry.alarm.since.map { _ in
          BehindReader(
            name: reader.name, position: reader.position, head: reader.head,
            since: entry.told?.since ?? reader.since)
        }
        return change.map { (reader, $0) }
      }
    }
    for (reader, change) in changes { say(reader, change) }
  }

  private func say(_ reader: BehindReader, _ change: BehindAlarm.Change) {
    let place = "\(reader.name) at \(reader.position) of \(reader.head)"
    switch change {
    case .began:
      logger.warning("behind the log: \(place), \(reader.events) events, since \(reader.since)")
    case .ended(let duration):
      logger.notice("no longer behind the log: \(place), after \(duration.components.seconds) s")
    }
  }

  fileprivate func move(_ id: Int, to position: Position) {
    contents.withLock { $0.entries[id]?.position = position }
  }

  fileprivate func leave(_ id: Int) {
    guard let told = contents.withLock({ $0.entries.removeValue(forKey: id) })?.told else { return }
    logger.notice(
      "no longer behind the log: \(told.name) at \(told.position) of \(told.head) has ended")
  }
}

/// A reader's own line in the book.
package final class ReaderPlace: Sendable {
  private let id: Int
  private let book: ReaderBook

  fileprivate init(id: Int, book: ReaderBook) {
    self.id = id
    self.book = book
  }

  /// It has read the log up to here; or it starts over from here.
  package func reached(_ position: Position) { book.move(id, to: position) }

  deinit { book.leave(id) }
}

extension Timestamp {
  fileprivate func before(_ duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    return Timestamp(
      microseconds: microseconds - seconds * 1_000_000 - attoseconds / 1_000_000_000_000)
  }
}
