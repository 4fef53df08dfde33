// The log's clock: the database's time at the last reading plus monotonic time since, so that a
// wharfd whose own clock is wrong dates nothing wrongly. Never lower than the last event: see Batch. It is
// published with the head, so that whoever plans, refuses or shows by dates goes by the time that the head
// decides with.

import Hosting

package struct LogClock: Sendable {
  private var databaseTime: Timestamp
  private var readAt: ContinuousClock.Instant

  init(databaseTime: Timestamp, readAt: ContinuousClock.Instant) {
    self.databaseTime = databaseTime
    self.readAt = readAt
  }

  package func now(_ instant: ContinuousClock.Instant) -> Timestamp {
    let (seconds, attoseconds) = (instant - readAt).components
    return Timestamp(
      microseconds: databaseTime.microseconds + seconds * 1_000_000
        + attoseconds / 1_000_000_000_000)
  }
}
