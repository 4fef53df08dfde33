// How long to wait before trying again: doubling up to a cap, never two clients in step.

package struct Backoff: Equatable, Sendable {
  package static let firstMilliseconds = 200
  package static let longestMilliseconds = 10_000

  private var next = Self.firstMilliseconds
  package init() {}

  /// The next pause, between half of the step and the whole of it.
  package mutating func pauseMilliseconds(
    using random: inout some RandomNumberGenerator
  ) -> Int {
    let step = next
    next = min(next * 2, Self.longestMilliseconds)
    return Int.random(in: step / 2...step, using: &random)
  }

  package mutating func succeeded() { next = Self.firstMilliseconds }
}
