// Medians, spreads and percentiles of what was measured.

/// The middle of several runs, and how far they lie apart.
package struct Spread: Equatable, Sendable {
  package let median: Double
  package let min: Double
  package let max: Double

  /// - Parameter values: at least one.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty, "a spread of nothing")
    let sorted = values.sorted()
    let middle = sorted.count / 2
    median =
      sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    min = sorted[0]
    max = sorted[sorted.count - 1]
  }
}

package enum Percentile {
  /// The smallest value that at least this share of the values do not exceed; none of nothing.
  package static func of(_ share: Double, _ values: [Int64]) -> Int64? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let rank = Int((share * Double(sorted.count)).rounded(.up))
    return sorted[Swift.min(sorted.count, Swift.max(1, rank)) - 1]
  }
}

/// One run of an arm.
package struct Sample: Sendable {
  package let events: Int
  package let seconds: Double
  /// Of each event, where the arm waits for each; in nanoseconds.
  package let latencies: [Int64]
  /// Figures besides, by name: batch size, memory.
  package let extras: [String: Double]

  package init(
    events: Int, seconds: Double, latencies: [Int64] = [], extras: [String: Double] = [:]
  ) {
    self.events = events
    self.seconds = seconds
    self.latencies = latencies
    self.extras = extras
  }

  package var eventsPerSecond: Double { Double(events) / Swift.max(seconds, 1e-9) }
}

extension Duration {
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
