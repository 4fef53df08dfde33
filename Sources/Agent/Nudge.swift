// Wakes one waiter. A nudge before the wait ends the wait at once; any number of them is one.

import Synchronization
import Time

package final class Nudge: Sendable {
  private struct State {
    var pending = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  private let clocks: Clocks

  package init(clocks: Clocks = .system) { self.clocks = clocks }

  package func nudge() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard let waiter = state.waiter.take() else {
        state.pending = true
        return nil
      }
      return waiter
    }
    waiter?.resume()
  }

  /// Returns at the next nudge, after this long, or when the task is cancelled.
  package func wait(longestMilliseconds: Int) async {
    let timer = Mutex<Task<Void, any Error>?>(nil)
    defer { timer.withLock { $0?.cancel() } }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let atOnce = state.withLock { state -> Bool in
          precondition(state.waiter == nil, "a nudge wakes one waiter")
          if state.pending || Task.isCancelled {
            state.pending = false
            return true
          }
          state.waiter = waiter
          return false
        }
        if atOnce { return waiter.resume() }
        // Not before: a timer that finds nobody does not come again.
        timer.withLock {
          $0 = Task { [weak self, clocks] in
            try await clocks.sleep(for: .milliseconds(longestMilliseconds))
            self?.release()
          }
        }
      }
    } onCancel: {
      release()
    }
  }

  private func release() {
    state.withLock { $0.waiter.take() }?.resume()
  }
}
