// Lets a batch gather those who were just answered. They come back within microseconds, one by one; a
// leader that leaves with the first of them makes the others wait for a whole commit, and again in
// every round. One that waits for all of them lets the database rest meanwhile. So it waits until
// half of those it knows of have come, and leaves with them: while they are stored, the others come
// and are decided. It waits for a small part of a commit's time at most, and never when nobody is there.

import Glibc

struct Gathering {
  /// A wait is at most this part of what the last append took …
  private static let shareOfAnAppend = 8
  /// … and no longer than this.
  private static let waitMicrosecondsLimit = 1_000
  /// Of fewer than twice as many all are waited for: what a statement costs besides its rows is more
  /// than what is won by deciding beside it.
  private static let smallestHalf = 24

  private var lastCount = 0
  private var lastTook = Duration.zero

  /// What became of the last batch.
  mutating func note(_ count: Int, took: Duration) {
    lastCount = count
    lastTook = took
  }

  /// Whether a batch of so many may leave at once, before the last one is answered.
  func isEnough(_ count: Int) -> Bool { count >= Self.smallestHalf && count * 2 >= lastCount }

  /// How many of all that are known go into one batch.
  static func share(of known: Int) -> Int {
    let half = (known + 1) / 2
    return half < smallestHalf ? known : min(Batch.commandLimit, half)
  }

  /// The commands of the next batch, beside those that it has.
  func take(_ inbox: Inbox, having count: Int) -> [PendingCommand] {
    // Those in the batch already were not among the ones just answered: together they are all, but
    // for who waits besides.
    let known = count + max(lastCount, inbox.count)
    let wanted = Self.share(of: known)
    var taken = inbox.take(max(0, wanted - count))
    guard count + taken.count > 0 else { return taken }
    let end =
      ContinuousClock.now
      + min(lastTook / Self.shareOfAnAppend, .microseconds(Self.waitMicrosecondsLimit))
    while count + taken.count < wanted, ContinuousClock.now < end {
      // They are microseconds away, and the shortest sleep is fifty.
      sched_yield()
      taken += inbox.take(wanted - count - taken.count)
    }
    return taken
  }
}
