// The two clocks of an agent: the wall's, for dates that people set, and the time since boot, for
// leases and deadlines, which no correction of the wall's clock may bend.

import Hosting
import Time

/// Nanoseconds since the machine started, sleep included: comparable across restarts of the agent.
package struct BootTime: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64
  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// What is too far away is as far as there is: durations come from templates and from replies.
  package func adding(milliseconds: Int64) -> BootTime {
    let (added, isTooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    let (sum, isTooFar) = nanoseconds.addingReportingOverflow(added)
    guard isTooLong || isTooFar else { return BootTime(nanoseconds: sum) }
    return BootTime(nanoseconds: milliseconds < 0 ? .min : .max)
  }

  package func adding(seconds: Int) -> BootTime {
    let (milliseconds, isTooLong) = Int64(seconds).multipliedReportingOverflow(by: 1000)
    return adding(milliseconds: isTooLong ? (seconds < 0 ? .min : .max) : milliseconds)
  }

  /// Rounded up; never negative.
  package func milliseconds(until later: BootTime) -> Int64 {
    guard later > self else { return 0 }
    let (nanoseconds, isTooLong) = later.nanoseconds.subtractingReportingOverflow(nanoseconds)
    return ((isTooLong ? .max : nanoseconds) - 1) / 1_000_000 + 1
  }

  package static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Clocks {
  /// Now, as the kernel tells of the starts of processes.
  package var bootTime: BootTime {
    let (seconds, attoseconds) = sinceStart.components
    return BootTime(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}

/// What an agent may still act on when it hears nothing, counted from when the request that was
/// answered had been sent: later than the control plane counts, never.
package struct Lease: Equatable, Sendable {
  package private(set) var until: BootTime?

  package init(until: BootTime? = nil) { self.until = until }

  package func holds(at now: BootTime) -> Bool { until.map { now < $0 } ?? false }

  package mutating func renew(sentAt: BootTime, seconds: Int) {
    let end = sentAt.adding(seconds: seconds)
    until = max(until ?? end, end)
  }
}
