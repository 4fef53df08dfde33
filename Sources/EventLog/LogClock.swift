// The log's clock: the database's time at the last reading plus monotonic time since, so that a
// leader whose own clock is wrong dates nothing wrongly. Never lower than the last event: see Batch.

import Hosting

struct LogClock {
  private var databaseTime: Timestamp
  private var readAt: ContinuousClock.Instant

  init(databaseTime: Timestamp, readAt: ContinuousClock.Instant) {
    self.databaseTime = databaseTime
    self.readAt = readAt
  }

  func now(_ instant: ContinuousClock.Instant) -> Timestamp {
    let (seconds, attoseconds) = (instant - readAt).components
    return Timestamp(
      microseconds: databaseTime.microseconds + seconds * 1_000_000
        + attoseconds / 1_000_000_000_000)
  }
}
