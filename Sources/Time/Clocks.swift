// What a program has of time and of chance, as one value that is handed to whatever needs it: where clocks
// are read, where somebody sleeps, and where numbers are drawn, nothing else decides. The system's is made
// here, and is the only one that a program has; a test hands in one that it moves (TestTools' `TestClock`).
// TidyTests sees to it that nobody reads a clock, sleeps or draws beside it.

import Glibc
import Hosting

package struct Clocks: Sendable {
  /// A moment on the clock that never goes back, is set by nobody, and goes on while the machine is
  /// suspended: what leases, deadlines and silences are counted on.
  package typealias Instant = ContinuousClock.Instant

  private let readInstant: @Sendable () -> Instant
  private let readDate: @Sendable () -> Timestamp
  private let sleepUntil: @Sendable (Instant) async throws -> Void
  private let blockUntil: @Sendable (Instant) -> Void
  private let draw: @Sendable () -> UInt64

  /// - Parameters:
  ///   - sleep: returns at the instant; throws once the task is cancelled.
  ///   - block: the same for a thread, which cannot be cancelled.
  ///   - draw: every number is as likely as any other.
  package init(
    now: @escaping @Sendable () -> Instant, date: @escaping @Sendable () -> Timestamp,
    sleep: @escaping @Sendable (Instant) async throws -> Void,
    block: @escaping @Sendable (Instant) -> Void, draw: @escaping @Sendable () -> UInt64
  ) {
    readInstant = now
    readDate = date
    sleepUntil = sleep
    blockUntil = block
    self.draw = draw
  }

  package var now: Instant { readInstant() }

  /// How long the machine has run, its sleep included: comparable among all that runs on it.
  package var sinceStart: Duration { now - ContinuousClock().systemEpoch }

  /// What the calendar says: for dates that people set, and never for how long something takes.
  package var date: Timestamp { readDate() }

  /// - Throws: `CancellationError`, as soon as the task is cancelled.
  package func sleep(for duration: Duration) async throws { try await sleepUntil(now + duration) }

  /// Holds the thread up: for one that is its caller's own.
  package func block(for duration: Duration) { blockUntil(now + duration) }

  /// Draws at random; secrets too.
  package var random: Random { Random(draw: draw) }

  package struct Random: RandomNumberGenerator, Sendable {
    fileprivate let draw: @Sendable () -> UInt64
    package func next() -> UInt64 { draw() }

    package func bytes(_ count: Int) -> [UInt8] {
      var random = self
      return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
  }

  /// The id of a command that this program sends.
  package func makeCommandID() -> CommandID {
    CommandID(at: date, random: (random.next(), random.next()))
  }
}

extension Clocks {
  /// The machine's.
  package static let system = Clocks(
    now: { ContinuousClock.now },
    date: {
      var time = timespec()
      precondition(clock_gettime(CLOCK_REALTIME, &time) == 0, "every Linux has a calendar clock")
      return Timestamp(
        microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    },
    sleep: { try await Task.sleep(until: $0, clock: .continuous) },
    block: { end in
      while true {
        let left = ContinuousClock.now.duration(to: end)
        guard left > .zero else { return }
        var time = timespec(left)
        nanosleep(&time, nil)
      }
    },
    draw: {
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    })
}

extension timespec {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
  }
}
