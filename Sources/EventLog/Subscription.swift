// Reading the log from any position on, and then for ever: catch-up and live are the same statement,
// so there is no seam between them. What is held is one page.

import Hosting
import Logging
import Postgres

package struct SubscriptionOptions: Sendable {
  /// At most so many events in a page.
  package var pageEvents = LogReader.pageLimit
  /// A statement looks at no more of the log than this, so that a filter that matches little still
  /// answers soon, and the checkpoint moves.
  package var windowEvents = 20_000
  /// A reader this far behind the head is told of, once.
  package var behindLimitEvents: Int64 = 10_000
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
  private let logger: Logger

  /// - Parameter name: names the reader in the alarm when it falls behind.
  package init(
    name: String, reader: LogReader, bell: LogBell, filter: EventFilter = .all,
    after start: Position, options: SubscriptionOptions = SubscriptionOptions(), logger: Logger
  ) {
    self.name = name
    self.reader = reader
    self.bell = bell
    self.filter = filter
    self.start = start
    self.options = options
    self.logger = logger
  }

  package func makeAsyncIterator() -> Iterator {
    Iterator(
      reader: reader, bell: bell, filter: filter, options: options, position: start,
      alarm: BehindAlarm(reader: name, limitEvents: options.behindLimitEvents, logger: logger))
  }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate let reader: LogReader
    fileprivate let bell: LogBell
    fileprivate let filter: EventFilter
    fileprivate let options: SubscriptionOptions
    fileprivate var position: Position
    fileprivate var alarm: BehindAlarm

    /// - Returns: a page with events, or one that only moves the checkpoint; nil once cancelled.
    package mutating func next() async throws -> SubscriptionPage? {
      let beat = options.beatInterval.map { ContinuousClock.now + $0 }
      while !Task.isCancelled {
        // Looked at before the log: an announcement in between is not missed.
        let heard = bell.count
        let page = try await reader.page(
          of: filter, after: position, limit: options.pageEvents, window: options.windowEvents)
        alarm.look(at: position, head: page.head)
        if page.checkpoint > position {
          position = page.checkpoint
          return page
        }
        if let beat, ContinuousClock.now >= beat { return page }
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
      let last = min(head, position + window)
      let rows = try connection.query(filter.query(after: position, through: last, limit: limit))
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, reasons: true, &connection)
      let isFull = events.count == limit
      return SubscriptionPage(
        events: events, checkpoint: isFull ? events[limit - 1].position : last, head: head)
    }
  }
}

/// silent ──behind by more than the limit──▶ raised ──half of it or less──▶ silent
struct BehindAlarm: Sendable {
  let reader: String
  let limitEvents: Int64
  let logger: Logger
  private(set) var isRaised = false

  init(reader: String, limitEvents: Int64, logger: Logger) {
    self.reader = reader
    self.limitEvents = limitEvents
    self.logger = logger
  }

  mutating func look(at position: Position, head: Position) {
    let behind = head.value - position.value
    if !isRaised, behind > limitEvents {
      isRaised = true
      logger.warning("\(reader) is \(behind) events behind the log, at \(position) of \(head)")
    } else if isRaised, behind <= limitEvents / 2 {
      isRaised = false
      logger.notice("\(reader) has caught up to \(behind) events behind the log")
    }
  }
}
