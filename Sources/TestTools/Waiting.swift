// Waiting on conditions: what tests do instead of sleeping.

/// Waits until `condition` gives a value.
///
/// - Parameter limit: as a calm machine counts it (`Pace`).
/// - Throws: `TestFailure` at the deadline, naming what was awaited.
package func eventually<Value>(
  _ what: String, withinSeconds limit: Double = Pace.patienceSeconds,
  _ condition: () async throws -> Value?
) async throws -> Value {
  let (watch, start) = (Stopwatch(), ContinuousClock.now)
  while true {
    // Looked at before: what came to be at last is seen, however late this task was let run.
    let isLate = watch.seconds >= limit
    let asked = ContinuousClock.now
    if let value = try await condition() { return value }
    let now = ContinuousClock.now
    if isLate {
      throw TestFailure(
        "waited \(limit) s as a calm machine counts them, \(now - start) in all, in vain until \(what)"
      )
    }
    // A look that costs something is not the machine's only work.
    try await Task.sleep(for: min(max(now - asked, shortestPause), longestPause))
  }
}

/// As above, for a condition that is met or not.
package func eventually(
  _ what: String, withinSeconds limit: Double = Pace.patienceSeconds,
  isTrue condition: () async throws -> Bool
) async throws {
  _ = try await eventually(what, withinSeconds: limit) { try await condition() ? true : nil }
}

private let shortestPause = Duration.milliseconds(10)
private let longestPause = Duration.seconds(1)
