// The log's clock: the database's time at the last reading plus monotonic time since, so that a
// wharfd whose own clock is wrong dates nothing wrongly. Never lower than the last event: see Batch. It is
// published with the head, so that whoever plans, refuses or shows by dates goes by the time that the head
// decides with.
//
// A database whose clock was ahead leaves a log that is ahead of it once that is put right. Times cannot fall,
// and if they stood still until the database is there, every span that is measured in them would too: what
// waits before its next try would wait for hours. So the log goes on at half the speed until both meet.

import Hosting
import Time

package struct LogClock: Sendable {
  /// A log that is ahead of the database goes on at this part of the speed.
  static let partOfSpeed: Int64 = 2
  /// From here on it is told of: less is the way of an answer, and of clocks that are set softly.
  package static let aheadSecondsTold = 5.0

  private let databaseTime: Timestamp
  private let readAt: Clocks.Instant
  /// What an event said, and when that was known: the log's time goes on from there.
  private let event: (recordedAt: Timestamp, knownAt: Clocks.Instant)

  /// - Parameters:
  ///   - recordedAt: of the last event.
  ///   - before: the clock until now, where there is one.
  init(
    databaseTime: Timestamp, readAt: Clocks.Instant, recordedAt: Timestamp,
    after before: LogClock?
  ) {
    self.databaseTime = databaseTime
    self.readAt = readAt
    if let before, before.slow(at: readAt) >= recordedAt {
      event = before.event
    } else {
      event = (recordedAt, readAt)
    }
  }

  package func now(_ instant: Clocks.Instant) -> Timestamp {
    max(database(at: instant), slow(at: instant))
  }

  /// How far the log's time is ahead of the database's; none, where that need not be told.
  package func aheadSeconds(at instant: Clocks.Instant) -> Double? {
    let seconds = now(instant).seconds(since: database(at: instant))
    return seconds >= Self.aheadSecondsTold ? seconds : nil
  }

  private func database(at instant: Clocks.Instant) -> Timestamp {
    Timestamp(
      microseconds: databaseTime.microseconds + Self.microseconds(instant - readAt))
  }

  /// How far the log has come by itself since an event, whatever the database says.
  private func slow(at instant: Clocks.Instant) -> Timestamp {
    let elapsed = max(0, Self.microseconds(instant - event.knownAt))
    return Timestamp(
      microseconds: event.recordedAt.microseconds + elapsed / Self.partOfSpeed)
  }

  private static func microseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
