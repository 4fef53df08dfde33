// Asking the server to end a statement. PQcancel opens a connection of its own and blocks, and a
// stalled server blocks it for ever, so it runs on a helper thread that nobody has to wait for.

import CLibPQ
import Synchronization

final class CancelRequest: Sendable {
  private static let messageBytes = 256

  private struct Target: @unchecked Sendable {
    // `@unchecked`: libpq documents PQcancel as safe from any thread; one thread uses and frees it.
    let raw: OpaquePointer
  }

  private let done = Atomic<Bool>(false)

  /// The server has been told, or could not be: nothing of this request can arrive any more.
  var isDone: Bool { done.load(ordering: .acquiring) }

  private init() {}

  /// Starts a request against whatever `connection` is running; `wake` tells when it is done.
  ///
  /// - Returns: nil when there is no thread or memory for it.
  static func start(_ connection: OpaquePointer, wake: WakeDescriptor) -> CancelRequest? {
    guard let raw = PQgetCancel(connection) else { return nil }
    let target = Target(raw: raw)
    let request = CancelRequest()
    let started = PosixThread.start(name: "wharf-pg-cancel") {
      // A refused request needs no handling: the statement then outlives its grace.
      _ = withUnsafeTemporaryAllocation(of: CChar.self, capacity: messageBytes) { buffer in
        PQcancel(target.raw, buffer.baseAddress, Int32(messageBytes))
      }
      PQfreeCancel(target.raw)
      request.done.store(true, ordering: .releasing)
      wake.wake()
    }
    guard started else {
      PQfreeCancel(raw)
      return nil
    }
    return request
  }
}
