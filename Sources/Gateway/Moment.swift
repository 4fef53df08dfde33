// Time as the gateway's pure parts get it: passed in, on both clocks.

import Glibc
import Hosting

/// One moment: by the calendar, which dates are compared with, and since an arbitrary start on a
/// clock that never goes back and counts a suspended machine's sleep, which leases are counted on.
package struct Moment: Sendable, Equatable {
  package var date: Timestamp
  package var uptime: Duration

  package init(date: Timestamp, uptime: Duration) {
    self.date = date
    self.uptime = uptime
  }
}

package struct GatewayClock: Sendable {
  private let start = ContinuousClock.now

  package init() {}

  package var now: Moment { Moment(date: date, uptime: uptime) }

  package var uptime: Duration { start.duration(to: .now) }

  private var date: Timestamp {
    var time = timespec()
    precondition(clock_gettime(CLOCK_REALTIME, &time) == 0, "the system has no calendar clock")
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}

extension Duration {
  /// In seconds, as a number for people and metrics.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
