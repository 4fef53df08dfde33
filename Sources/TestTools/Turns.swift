// Tests that start servers or programs of their own take turns: all at once would only measure how slow
// the machine can be, and every one of them would wait for all others.

import Foundation
import Synchronization
import Testing

/// Such a test runs when it is its turn: `@Suite(.turn, .bounded)`.
package struct TurnTrait: TestTrait, SuiteTrait, TestScoping {
  /// On a suite it gives each of its tests a turn, not one to all.
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await Turns.take { try await function() }
  }
}

extension Trait where Self == TurnTrait {
  /// Few such tests at a time.
  package static var turn: Self { TurnTrait() }
}

extension Trait where Self == TimeLimitTrait {
  /// One that hangs is ended, by name. No bound on speed: while a test waits for its turn, this time
  /// passes, too.
  package static var bounded: Self { .timeLimit(.minutes(30)) }
}

package enum Turns {
  /// Much of what such a test does is to wait, so there may be more of them than cores.
  package static let places = max(2, ProcessInfo.processInfo.activeProcessorCount) * 2

  private struct State {
    var free = places
    var waiting: [CheckedContinuation<Void, Never>] = []

    /// Whose turn it is now, if there is one.
    mutating func next() -> CheckedContinuation<Void, Never>? {
      guard free > 0, !waiting.isEmpty else { return nil }
      free -= 1
      return waiting.removeFirst()
    }
  }
  private static let state = Mutex(State())

  /// A test that has a turn needs no other: two that each wait for the other's would wait for ever.
  @TaskLocal private static var hasTurn = false

  package static func take<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    if hasTurn { return try await body() }
    await withCheckedContinuation { continuation in
      change { $0.waiting.append(continuation) }
    }
    defer { change { $0.free += 1 } }
    return try await $hasTurn.withValue(true) { try await body() }
  }

  private static func change(_ change: (inout State) -> Void) {
    let next = state.withLock { state in
      change(&state)
      return state.next()
    }
    next?.resume()
  }
}
