// Rings when the log was announced to have grown: one LISTEN for all readers of a process. A hint
// only; whoever waits looks by itself after a while.

import Hosting
import Postgres
import Synchronization
import Time

package final class LogBell: Sendable {
  private struct State {
    var count: UInt64 = 0
    var nextWaiter = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  let clocks: Clocks

  package init(clocks: Clocks = .system) { self.clocks = clocks }

  /// How often it rang.
  package var count: UInt64 { state.withLock { $0.count } }

  package func ring() {
    let woken = state.withLock { state in
      state.count += 1
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in woken { waiter.resume() }
  }

  /// Listens until cancelled; a lost connection is made anew, and rings too, since announcements may
  /// have been missed.
  package func run(
    _ database: PostgresConfiguration, options: ListenOptions = ListenOptions()
  ) async throws {
    for await _ in try listen(database, channel: LogStatements.channel, options: options) {
      ring()
    }
  }

  /// Until it rang more often than `count`, the time is over, or the task is cancelled.
  package func wait(past count: UInt64, upTo limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.ringing(past: count) }
      group.addTask { try? await self.clocks.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  private func ringing(past count: UInt64) async {
    let ticket = state.withLock { state in
      defer { state.nextWaiter += 1 }
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          guard state.count <= count, !Task.isCancelled else { return true }
          state.waiters[ticket] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
    }
  }
}
