// Waits between tries: doubled each time up to a limit.

package struct Backoff: Sendable {
  package static let firstMilliseconds = 50
  package static let longestMilliseconds = 2_000

  private var milliseconds = firstMilliseconds

  package init() {}

  package mutating func next() -> Duration {
    defer { milliseconds = min(milliseconds * 2, Self.longestMilliseconds) }
    return .milliseconds(milliseconds)
  }

  package mutating func reset() { milliseconds = Self.firstMilliseconds }
}
