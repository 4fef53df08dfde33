// Reading the log from any position on, and then for ever: catch-up and live are the same statement,
// so there is no seam between them. What is held is one page.

import Hosting
import Postgres
import Time

package struct SubscriptionOptions: Sendable {
  /// At most so many events in a page.
  package var pageEvents = LogReader.pageLimit
  /// A statement looks at no more of the log than this, so that a filter that matches little still
  /// answers soon, and the checkpoint moves.
  package var windowEvents = 20_000
  /// Sound of the bell or not, the log is looked at this often.
  package var pollInterval = Duration.milliseconds(500)
  /// After so long without news a page without events is given, at the same checkpoint; none: never.
  package var beatInterval: Duration?

  package init() {}
}

/// What a subscription gives: the next matching events, maybe none, and how far the log was read.
package struct SubscriptionPage: Sendable {
  package let events: [StoredEvent]
  /// All that matches up to here was given: the position to resume from.
  package let checkpoint: Position
  /// Where the log ended when this page was read.
  package let head: Position
}

/// Pages of matching events, in order, each once. It ends when its task is cancelled, and throws when
/// the log cannot be read; resumed from the last checkpoint, it goes on as if nothing had been.
package struct Subscription: AsyncSequence, Sendable {
  package typealias Element = SubscriptionPage
  package typealias Failure = any Error

  private let reader: LogReader
  private let bell: LogBell
  private let filter: EventFilter
  private let start: Position
  private let options: SubscriptionOptions
  private let name: String
  private let readers: ReaderBook?

  /// - Parameters:
  ///   - name: names the reader in the alarm when it falls behind.
  ///   - readers: where it says how far it is, if anybody is to know.
  package init(
    name: String, reader: LogReader, bell: LogBell, filter: EventFilter = .all,
    after start: Position, options: SubscriptionOptions = SubscriptionOptions(),
    readers: ReaderBook? = nil
  ) {
    self.name = name
    self.reader = reader
    self.bell = bell
    self.filter = filter
    self.start = start
    self.options = options
    self.readers = readers
  }

  package func makeAsyncIterator() -> Iterator {
    Iterator(
      reader: reader, bell: bell, filter: filter, options: options, position: start,
      place: readers?.enter(name, at: start))
  }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate let reader: LogReader
    fileprivate let bell: LogBell
    fileprivate let filter: EventFilter
    fileprivate let options: SubscriptionOptions
    fileprivate var position: Position
    fileprivate let place: ReaderPlace?

    /// - Returns: a page with events, or one that only moves the checkpoint; nil once cancelled.
    package mutating func next() async throws -> SubscriptionPage? {
      // A reader that asks for more is done with what was given: a slow one is behind, not the log's reader.
      place?.reached(position)
      let beat = options.beatInterval.map { bell.clocks.now + $0 }
      while !Task.isCancelled {
        // Looked at before the log: an announcement in between is not missed.
        let heard = bell.count
        let page = try await reader.page(
          of: filter, after: position, limit: options.pageEvents, window: options.windowEvents)
        if page.checkpoint > position {
          position = page.checkpoint
          return page
        }
        if let beat, bell.clocks.now >= beat { return page }
        await bell.wait(past: heard, upTo: options.pollInterval)
      }
      return nil
    }
  }
}

extension LogReader {
  /// The next matching events, and how far the log was read for them. One statement tells where the
  /// log ends before another reads up to there, so that what is not given did not match: positions
  /// have no gaps, and a reader sees a prefix always.
  package func page(
    of filter: EventFilter, after position: Position, limit: Int, window: Int
  ) async throws -> SubscriptionPage {
    let keys = keys
    return try await withConnection { connection in
      let head = Position(try connection.query(LogStatements.head)[0].decode(Int64.self, at: 0))
      guard head > position else {
        return SubscriptionPage(events: [], checkpoint: position, head: head)
      }
      let last = filter.isIndexed ? head : min(head, position + window)
      let rows = try connection.query(filter.query(after: position, through: last, limit: limit))
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, reasons: true, &connection)
      let isFull = events.count == limit
      return SubscriptionPage(
        events: events, checkpoint: isFull ? events[limit - 1].position : last, head: head)
    }
  }

  /// The last matching events past a position and up to another, in their order, and from where on the log was
  /// looked at for them.
  package func lastPage(
    of filter: EventFilter, after position: Position, through last: Position, limit: Int,
    window: Int
  ) async throws -> (events: [StoredEvent], start: Position) {
    let keys = keys
    let start =
      filter.isIndexed
      ? position : Position(max(position.value, last.value - Int64(window)))
    return try await withConnection { connection in
      let rows = try connection.query(
        filter.query(after: start, through: last, limit: limit, backwards: true))
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }.reversed()
      try keys.prepare(Array(events), reasons: true, &connection)
      let isFull = events.count == limit
      let first = events.first.map { Position($0.position.value - 1) }
      return (Array(events), isFull ? first ?? start : start)
    }
  }
}
