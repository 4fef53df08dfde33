// How long to wait before connecting again.

/// Doubles from `initialMilliseconds` to `capMilliseconds`; half of each wait is random, so that many
/// clients do not come back in step.
struct Backoff {
  static let initialMilliseconds = 25
  static let capMilliseconds = 2_000

  private var attempts = 0

  mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    let exponent = min(attempts, 10)
    attempts += 1
    let ceiling = min(Self.capMilliseconds, Self.initialMilliseconds << exponent)
    return .milliseconds(Int.random(in: ceiling / 2...ceiling, using: &generator))
  }

  mutating func next() -> Duration {
    var generator = SystemRandomNumberGenerator()
    return next(using: &generator)
  }

  mutating func reset() { attempts = 0 }
}
