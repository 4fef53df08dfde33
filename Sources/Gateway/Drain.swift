// The endpoint's stop: what is in flight may end within the drain; what has not ended then is told so, each
// stream by an error event of its own, before its connection is closed.

import Hummingbird
import ServiceLifecycle
import Time

struct Drain<Endpoint: ApplicationProtocol>: Service {
  let endpoint: Endpoint
  let gate: Gate

  func run() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await endpoint.run()
        return true
      }
      group.addTask {
        // Cancelled, there is nothing to be told any more.
        do {
          try await gracefulShutdown()
          try await gate.clocks.sleep(for: .seconds(gate.limits.drainSeconds))
          gate.endDrain()
        } catch {}
        return false
      }
      while let isOver = try await group.next(), !isOver {}
      group.cancelAll()
    }
  }
}
