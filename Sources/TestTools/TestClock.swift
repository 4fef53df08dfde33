// Clocks that a test moves: nothing goes on by itself, and what sleeps wakes when the test has moved them
// there. So a lease of minutes ends in a moment, and one that must not end does not, however slow the machine.

import Glibc
import Hosting
import Synchronization
import Time

package final class TestClock: Sendable {
  private struct Sleeper {
    let until: Clocks.Instant
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = ContinuousClock().systemEpoch + .seconds(1_000)
    var date: Timestamp
    var random: SplitMix64
    var sleepers: [Int: Sleeper] = [:]
    var nextSleeper = 0
  }

  private static let blockedLookMicroseconds: UInt32 = 500

  private let state: Mutex<State>

  /// - Parameter seed: of what is drawn at random.
  package init(date: Timestamp = Timestamp(microseconds: 1_750_000_000_000_000), seed: UInt64 = 1) {
    state = Mutex(State(date: date, random: SplitMix64(seed: seed)))
  }

  package var clocks: Clocks {
    Clocks(
      now: { [self] in now }, date: { [self] in date },
      sleep: { [self] in try await sleep(until: $0) },
      block: { [self] end in while now < end { usleep(Self.blockedLookMicroseconds) } },
      draw: { [self] in state.withLock { $0.random.next() } })
  }

  package var now: Clocks.Instant { state.withLock { $0.now } }
  package var date: Timestamp { state.withLock { $0.date } }

  /// How many tasks sleep by these clocks.
  package var sleeping: Int { state.withLock { $0.sleepers.count } }

  /// Moves both clocks on, and wakes what is due, in the order in which it is.
  package func move(by duration: Duration) {
    let due = state.withLock { state in
      state.now += duration
      let (seconds, attoseconds) = duration.components
      state.date = Timestamp(
        microseconds: state.date.microseconds + seconds * 1_000_000
          + attoseconds / 1_000_000_000_000)
      let due = state.sleepers.filter { $0.value.until <= state.now }
      for id in due.keys { state.sleepers[id] = nil }
      return due.sorted { ($0.value.until, $0.key) < ($1.value.until, $1.key) }
    }
    for (_, sleeper) in due { sleeper.continuation.resume() }
  }

  private static let stepPause = Duration.milliseconds(1)

  /// Moves on in steps for as long as the body runs, much faster than time does.
  package func moving<Value>(
    by step: Duration = .milliseconds(50), _ body: () async throws -> Value
  ) async rethrows -> Value {
    let mover = Task {
      while !Task.isCancelled {
        move(by: step)
        try? await Task.sleep(for: Self.stepPause)
      }
    }
    defer { mover.cancel() }
    return try await body()
  }

  /// Sets the calendar: nothing that is counted from one moment to another may heed it.
  package func set(_ date: Timestamp) { state.withLock { $0.date = date } }

  private func sleep(until end: Clocks.Instant) async throws {
    let id = state.withLock { state in
      state.nextSleeper += 1
      return state.nextSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if end <= state.now { return .success(()) }
          state.sleepers[id] = Sleeper(until: end, continuation: continuation)
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: id) }?
        .continuation.resume(throwing: CancellationError())
    }
  }
}
