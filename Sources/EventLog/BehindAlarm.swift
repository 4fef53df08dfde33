// When a reader of the log has fallen behind, judged with values: since when the log holds what the
// reader has not read. A count of events would not tell: ten thousand are a moment's work for one
// reader, and one that stands still is behind with the first.

import DequeModule
import Hosting
import Time

/// Where the log ended, and since when it is known to have.
struct HeadHistory {
  /// Of so many looks; past that what lies further back is taken for as old as the oldest.
  static let samplesLimit = 3_600

  private var samples: Deque<(head: Position, at: Clocks.Instant)> = []

  mutating func note(_ head: Position, at instant: Clocks.Instant) {
    guard head > samples.last?.head ?? .empty else { return }
    samples.append((head, instant))
    if samples.count > Self.samplesLimit { samples.removeFirst() }
  }

  /// When the event after a position was first known to be in the log; nil while there is none.
  func firstKnown(after position: Position) -> Clocks.Instant? {
    var (low, high) = (0, samples.count)
    while low < high {
      let middle = (low + high) / 2
      if samples[middle].head <= position { low = middle + 1 } else { high = middle }
    }
    return low < samples.count ? samples[low].at : nil
  }
}

/// silent ──the first unread event is older than the limit──▶ raised ──half of it or less──▶ silent
struct BehindAlarm {
  enum Change: Equatable {
    case began
    case ended(after: Duration)
  }

  /// While it is raised: since when the reader is behind.
  private(set) var since: Clocks.Instant?

  /// - Parameter unread: since when what the reader has not read is in the log; nil: it has read all.
  mutating func look(
    unreadSince unread: Clocks.Instant?, limit: Duration, at now: Clocks.Instant
  ) -> Change? {
    let lag = unread.map { now - $0 } ?? .zero
    if let begin = since {
      guard lag <= limit / 2 else { return nil }
      since = nil
      return .ended(after: now - begin)
    }
    guard lag > limit else { return nil }
    since = unread
    return .began
  }
}
