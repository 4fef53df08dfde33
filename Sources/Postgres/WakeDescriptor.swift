// Reaching a thread that blocks in poll(2): an eventfd to wake it, and a token that says why.

import CLinux
import Glibc
import Synchronization

/// An eventfd that closes itself. Waking is sticky: a wake before the wait ends the wait at once.
package final class WakeDescriptor: Sendable {
  let descriptor: Int32

  /// - Throws: `resourceExhausted` when this process has no descriptors left.
  package init() throws(PostgresError) {
    descriptor = wharf_eventfd(0, wharf_eventfd_flags())
    guard descriptor >= 0 else {
      throw PostgresError(
        .resourceExhausted, String(cString: strerror(errno)), attempted: "create an eventfd",
        hint: "raise the limit on open files")
    }
  }

  deinit { close(descriptor) }

  /// Safe from any thread, and never blocks.
  package func wake() {
    var one: UInt64 = 1
    // Failing with EAGAIN means that the counter is full: the waiter is awake already.
    _ = write(descriptor, &one, 8)
  }

  func drain() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

/// One span of work that may be cancelled, such as one checkout from the pool. A token is used once:
/// a late cancel sets a flag that nobody reads any more, so it cannot hit the next statement.
package final class CancelToken: Sendable {
  let wake: WakeDescriptor
  private let requested = Atomic<Bool>(false)

  package init(wake: WakeDescriptor) { self.wake = wake }

  package var isCancelled: Bool { requested.load(ordering: .acquiring) }

  /// Ends the running statement of the connection that carries this token, and refuses the next.
  package func cancel() {
    requested.store(true, ordering: .releasing)
    wake.wake()
  }
}
