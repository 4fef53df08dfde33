// Lets a batch gather those who were just answered. They come back within microseconds, one by one; a
// leader that leaves with the first of them makes the others wait for a whole commit, and again in
// every round. One that waits for all of them lets the database rest meanwhile. So it waits until
// half of those it knows of have come: while they are stored, the others come and are decided. It
// waits for a small part of a commit's time at most, and never when nobody is there.

import Glibc

struct Gathering {
  /// A wait is at most this part of what the last append took …
  private static let shareOfAnAppend = 8
  /// … and no longer than this.
  private static let waitMicrosecondsLimit = 1_000
  private static let lookMicroseconds: UInt32 = 20

  private var lastCount = 0
  private var lastTook = Duration.zero

  /// What became of the last batch.
  mutating func note(_ count: Int, took: Duration) {
    lastCount = count
    lastTook = took
  }

  /// The commands of the next batch, beside those that it has.
  func take(_ inbox: Inbox, having count: Int) -> [PendingCommand] {
    var taken = inbox.take(Batch.commandLimit - min(count, Batch.commandLimit))
    guard count + taken.count > 0 else { return taken }
    // Those in the batch already were not among the ones just answered: together they are all.
    let wanted = min(Batch.commandLimit, (count + lastCount + 1) / 2)
    let end =
      ContinuousClock.now
      + min(lastTook / Self.shareOfAnAppend, .microseconds(Self.waitMicrosecondsLimit))
    while count + taken.count < wanted, ContinuousClock.now < end {
      usleep(Self.lookMicroseconds)
      taken += inbox.take(Batch.commandLimit - min(count + taken.count, Batch.commandLimit))
    }
    return taken
  }
}
