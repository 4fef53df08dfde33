// Waits between tries: doubled each time up to a limit.

package struct Backoff: Equatable, Sendable {
  private let firstMilliseconds: Int
  private let longestMilliseconds: Int
  private var step: Int

  package init(firstMilliseconds: Int, longestMilliseconds: Int) {
    self.firstMilliseconds = firstMilliseconds
    self.longestMilliseconds = longestMilliseconds
    step = firstMilliseconds
  }

  /// The next wait of one that nobody else is in step with.
  package mutating func next() -> Duration { .milliseconds(takeStep()) }

  /// The next wait, half of it at random, so that many do not come back in step.
  package mutating func pauseMilliseconds(using random: inout some RandomNumberGenerator) -> Int {
    let step = takeStep()
    return Int.random(in: step / 2...step, using: &random)
  }

  /// After a try that succeeded.
  package mutating func reset() { step = firstMilliseconds }

  private mutating func takeStep() -> Int {
    defer { step = min(step * 2, longestMilliseconds) }
    return step
  }
}
