// Time as the gateway's pure parts get it: passed in, on both clocks.

import Hosting
import Time

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
  package let clocks: Clocks
  private let start: Clocks.Instant

  package init(_ clocks: Clocks = .system) {
    self.clocks = clocks
    start = clocks.now
  }

  package var now: Moment { Moment(date: clocks.date, uptime: uptime) }

  package var uptime: Duration { start.duration(to: clocks.now) }
}

extension Duration {
  /// In seconds, as a number for people and metrics.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
