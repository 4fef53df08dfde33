// One limit for all of a request. The client's own ends with the head of the answer; a peer that
// sends no more than that would be listened to for ever.

import Time

package struct DeadlinePassed: Error, Equatable, CustomStringConvertible {
  package let milliseconds: Int64
  package var description: String { "no whole answer within \(milliseconds) ms" }
}

/// Cancels the work once it takes longer.
package func within<Value: Sendable>(
  milliseconds: Int64, by clocks: Clocks, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    defer { group.cancelAll() }
    group.addTask { try await work() }
    group.addTask {
      try await clocks.sleep(for: .milliseconds(milliseconds))
      throw DeadlinePassed(milliseconds: milliseconds)
    }
    guard let first = try await group.next() else { throw CancellationError() }
    return first
  }
}
