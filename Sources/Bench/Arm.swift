// An arm is one thing that is measured. Those that append give a store and a number of producers, and
// share the clock and the check of what was stored.

import Hosting
import Synchronization

package protocol Arm: Sendable {
  var name: String { get }
  /// One run, on a database that no run before has changed.
  func run() async throws -> Sample
}

/// The arm's figures say nothing: what it did was wrong.
package struct VoidedArm: Error, CustomStringConvertible {
  package let faults: [String]

  package init(_ faults: [String]) { self.faults = faults }

  package var description: String { faults.joined(separator: "; ") }
}

/// Where producers append, each waiting for its answer before it goes on.
package protocol AppendStore: Sendable {
  /// Where the first event of the run must stand, if positions have no gaps.
  var first: Int64? { get }
  /// Appends until `isOver`, one after another.
  func produce(_ producer: Int, isOver: @escaping @Sendable () -> Bool) async throws
    -> [Acknowledgement]
  /// All that the run stored, in the order of the store.
  func readBack() async throws -> [StoredEntry]
  /// Figures besides.
  func extras() async throws -> [String: Double]
  func close() async
}

extension AppendStore {
  package func extras() async throws -> [String: Double] { [:] }
  package func close() async {}
}

package struct AppendArm: Arm {
  package let name: String
  private let producers: Int
  private let seconds: Double
  private let open: @Sendable () async throws -> any AppendStore

  package init(
    _ name: String, producers: Int, seconds: Double,
    open: @escaping @Sendable () async throws -> any AppendStore
  ) {
    self.name = name
    self.producers = producers
    self.seconds = seconds
    self.open = open
  }

  package func run() async throws -> Sample {
    let store = try await open()
    do {
      let sample = try await measure(store)
      await store.close()
      return sample
    } catch {
      await store.close()
      throw error
    }
  }

  private func measure(_ store: any AppendStore) async throws -> Sample {
    let start = ContinuousClock.now
    let deadline = start + .seconds(seconds)
    let acknowledged = try await withThrowingTaskGroup { group in
      for producer in 0..<producers {
        group.addTask {
          try await store.produce(producer) { ContinuousClock.now >= deadline }
        }
      }
      var all: [Acknowledgement] = []
      for try await some in group { all += some }
      return all
    }
    let elapsed = ContinuousClock.now - start
    let faults = Ledger.faults(
      acknowledged: acknowledged, stored: try await store.readBack(), first: store.first)
    guard faults.isEmpty else { throw VoidedArm(faults) }
    return Sample(
      events: acknowledged.count, seconds: elapsed.inSeconds,
      latencies: acknowledged.map(\.nanoseconds), extras: try await store.extras())
  }
}

/// Runs what blocks on a thread of its own.
package func onThread<Result: Sendable>(
  _ name: String, _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await BlockingThread(name).run(body)
}
