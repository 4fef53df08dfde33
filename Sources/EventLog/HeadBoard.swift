// The head of the log as this wharfd knows it: always a prefix of the log, published after commit
// only. Readers take a copy (free) and wait here for the position that they were promised.

import Hosting
import Synchronization

package enum Standing: Equatable, Sendable {
  /// Has not read the log yet.
  case starting
  /// Serves reads; commands go to the leader at this address.
  case following(address: String?)
  /// Decides and appends; the epoch is the position of its `leadershipTaken`.
  case leading(epoch: Position)
}

package struct Head: Sendable {
  package let state: HostingState
  package let hash: Digest
  package let standing: Standing
}

package final class HeadBoard: Sendable {
  /// At most this many readers wait here at once.
  package static let waiterLimit = 65_536

  private struct Waiter {
    let position: Position
    let continuation: CheckedContinuation<Head?, Never>
  }

  private struct Contents {
    var head = Head(state: HostingState(), hash: Chain.origin, standing: .starting)
    var waiters: [Int: Waiter] = [:]
    var nextWaiter = 0
  }

  private let contents = Mutex(Contents())

  package init() {}

  package var current: Head { contents.withLock { $0.head } }

  func publish(_ head: Head) {
    let reached = contents.withLock { contents in
      contents.head = head
      let reached = contents.waiters.filter { $0.value.position <= head.state.position }
      for id in reached.keys { contents.waiters[id] = nil }
      return reached
    }
    for waiter in reached.values { waiter.continuation.resume(returning: head) }
  }

  /// The head once it is at `position` or past it; none if that takes longer than `timeout`, or if
  /// too many wait already.
  package func wait(for position: Position, upTo timeout: Duration) async -> Head? {
    var id = -1
    let timer: Mutex<Task<Void, Never>?> = Mutex(nil)
    let head = await withCheckedContinuation { (continuation: CheckedContinuation<Head?, Never>) in
      let answer: Head?? = contents.withLock { contents in
        if contents.head.state.position >= position { return contents.head }
        if contents.waiters.count >= Self.waiterLimit || timeout <= .zero { return .some(nil) }
        id = contents.nextWaiter
        contents.nextWaiter += 1
        contents.waiters[id] = Waiter(position: position, continuation: continuation)
        return nil
      }
      if let answer { return continuation.resume(returning: answer) }
      let waiting = id
      timer.withLock {
        $0 = Task { [weak self] in
          try? await Task.sleep(for: timeout)
          self?.giveUp(waiting)
        }
      }
    }
    timer.withLock { $0?.cancel() }
    return head
  }

  private func giveUp(_ id: Int) {
    contents.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: nil)
  }
}
