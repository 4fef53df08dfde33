// Lets a batch gather those who were just answered. They come back within microseconds, one by one; a
// leader that leaves with the first of them makes the others wait for a whole commit, and again in
// every round. One that waits for all of them lets the database rest meanwhile. So it waits until
// half of those it knows of have come, and leaves with them: while they are stored, the others come
// and are decided. It waits for a small part of a commit's time at most, and never when nobody is there.

import Glibc
import Time

struct Gathering {
  /// It waits, beside what it decides, for at most this part of what the last append took …
  private static let shareOfAnAppend = 8
  /// … and no longer than this.
  private static let waitMicrosecondsLimit = 1_000
  /// On a clock that stands still no time is ever over: so often it looks in vain, many times what fits into
  /// the longest wait.
  private static let vainLooksLimit = 100_000
  /// Of fewer than twice as many all are waited for: what a statement costs besides its rows is more
  /// than what is won by deciding beside it.
  private static let smallestHalf = 24
  /// The answer to an append is looked for without sleeping where it comes within this time.
  private static let spinningLimit = Duration.microseconds(800)

  private var lastCount = 0
  private var lastTook = Duration.zero

  /// What became of the last batch.
  mutating func note(_ count: Int, took: Duration) {
    lastCount = count
    lastTook = took
  }

  /// How long to look for the answer to a batch of so many before sleeping. Not at all where the disk
  /// is slow; nor for one caller, who gains nothing; nor in batches so large that half of the callers are
  /// at work meanwhile and need the cores.
  func spinning(behind count: Int) -> Duration {
    (2..<Self.smallestHalf).contains(count) && lastTook < Self.spinningLimit
      ? Self.spinningLimit : .zero
  }

  /// Whether a batch of so many may leave at once, before the last one is answered.
  func isEnough(_ count: Int) -> Bool { count >= Self.smallestHalf && count * 2 >= lastCount }

  /// How many of all that are known go into one batch.
  static func share(of known: Int) -> Int {
    let half = (known + 1) / 2
    return half < smallestHalf ? known : min(Batch.commandLimit, half)
  }

  /// Hands over the commands of the next batch, beside those that it has, as they come: the first are
  /// decided while the others are on their way.
  func take(
    _ inbox: Inbox, having count: Int, by clocks: Clocks, _ each: ([PendingCommand]) -> Void
  ) {
    // Those in the batch already were not among the ones just answered: together they are all, but
    // for who waits besides.
    let wanted = Self.share(of: count + max(lastCount, inbox.count))
    let limit = min(lastTook / Self.shareOfAnAppend, .microseconds(Self.waitMicrosecondsLimit))
    var (count, waited, idleSince) = (count, Duration.zero, Clocks.Instant?.none)
    var vainLooks = 0
    while count < wanted {
      let commands = inbox.take(wanted - count)
      let now = clocks.now
      if !commands.isEmpty {
        if let since = idleSince.take() { waited += now - since }
        each(commands)
        count += commands.count
        continue
      }
      // Nobody is there, and nobody was.
      vainLooks += 1
      guard count > 0, vainLooks < Self.vainLooksLimit, waited + (now - (idleSince ?? now)) < limit
      else { return }
      idleSince = idleSince ?? now
      // They are microseconds away, and the shortest sleep is fifty.
      sched_yield()
    }
  }
}
