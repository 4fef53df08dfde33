// Waiting on a condition with a deadline: tests never sleep for a fixed time.

package struct NeverHappened: Error, CustomStringConvertible {
  package let description: String
}

/// Runs `condition` until it gives a value, or throws once the deadline has passed.
package func eventually<Value>(
  _ what: String, within seconds: Double = 20, _ condition: () async throws -> Value?
) async throws -> Value {
  let deadline = ContinuousClock.now + .seconds(seconds)
  var lastError: (any Error)?
  while ContinuousClock.now < deadline {
    do {
      if let value = try await condition() { return value }
    } catch {
      lastError = error
    }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw NeverHappened(
    description: "\(what) did not happen within \(seconds) s"
      + (lastError.map { "; the last error was: \($0)" } ?? ""))
}

/// Waits until a condition holds.
package func eventually(
  _ what: String, within seconds: Double = 20, _ condition: () async throws -> Bool
) async throws {
  _ = try await eventually(what, within: seconds) { try await condition() ? () : nil }
}
