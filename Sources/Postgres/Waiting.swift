// poll(2) with a deadline and wake-ups: the only place where a thread of ours blocks.

import Glibc

enum Waiting {
  struct Outcome {
    var isReadable = false
    var isWritable = false
    var isWoken = false
    /// Nothing happened until the deadline.
    var isTimedOut = false
  }

  /// Waits for the socket or a wake descriptor, until the deadline; nil waits for ever.
  ///
  /// - Parameter spinning: how long it looks without sleeping, and lets others run in between.
  static func wait(
    socket: Int32, forWriting: Bool = false, forReading: Bool = true,
    wakes: (WakeDescriptor?, WakeDescriptor?), spinning: Duration = .zero,
    until deadline: ContinuousClock.Instant?
  ) -> Outcome {
    let events = (forReading ? POLLIN : 0) | (forWriting ? POLLOUT : 0)
    var descriptors = (
      pollfd(fd: socket, events: Int16(events), revents: 0),
      pollfd(fd: wakes.0?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakes.1?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
    )
    let spinsUntil = spinning > .zero ? ContinuousClock.now + spinning : nil
    while true {
      let isSpinning = spinsUntil.map { ContinuousClock.now < $0 } ?? false
      let milliseconds = isSpinning ? 0 : deadline.map(millisecondsUntil) ?? -1
      let status = withUnsafeMutableBytes(of: &descriptors) { bytes in
        poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 3, milliseconds)
      }
      if status < 0 {
        precondition(errno == EINTR || errno == EAGAIN, "poll refused its arguments: \(errno)")
        continue
      }
      if status == 0, isSpinning {
        sched_yield()
        continue
      }
      if status == 0, let deadline, ContinuousClock.now < deadline { continue }
      let seen = Int32(descriptors.0.revents)
      let failed = seen & (POLLERR | POLLHUP | POLLNVAL) != 0
      return Outcome(
        // A dead socket counts as ready: reading or writing it tells what happened.
        isReadable: seen & POLLIN != 0 || failed,
        isWritable: seen & POLLOUT != 0 || failed,
        isWoken: descriptors.1.revents != 0 || descriptors.2.revents != 0,
        isTimedOut: status == 0)
    }
  }

  /// Sleeps until the deadline or a wake, whichever comes first.
  static func sleep(wake: WakeDescriptor, until deadline: ContinuousClock.Instant) {
    _ = wait(socket: -1, wakes: (wake, nil), until: deadline)
  }

  /// Rounded up, so that a wait never ends before its deadline.
  private static func millisecondsUntil(_ deadline: ContinuousClock.Instant) -> Int32 {
    let left = ContinuousClock.now.duration(to: deadline)
    if left <= .zero { return 0 }
    let (seconds, attoseconds) = left.components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1_000)
    let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    if milliseconds.overflow { return .max }
    return Int32(clamping: milliseconds.partialValue + fraction)
  }
}
