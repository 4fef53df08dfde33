// Between the listening thread and its reader: holds at most one event of each kind.

import Synchronization

/// empty ── post ─▶ holding ── next ─▶ empty
///   │ next                                  a second post replaces what it makes superfluous:
///   ▼                                       (re)connecting says all that an announcement says
/// waiting ── post, cancel ─▶ empty
final class ListenMailbox: Sendable {
  private struct State {
    var connection: ListenEvent?
    var notified: ListenEvent?
    var waiter: CheckedContinuation<ListenEvent?, Never>?
    var hasListened = false

    mutating func take() -> ListenEvent? {
      if let event = connection.take() { return event }
      return notified.take()
    }

    mutating func put(_ event: ListenEvent) {
      switch event {
      case .listening:
        connection = event
        hasListened = true
      case .reconnected:
        // The reader has not even seen that it listens: that it does now is all it needs to know.
        if connection != .listening { connection = event }
        notified = nil
      case .notified: notified = event
      }
    }
  }

  private let state = Mutex(State())

  /// An event that LISTEN took effect was posted, so a later one is about coming back.
  var hasListened: Bool { state.withLock { $0.hasListened } }

  func post(_ event: ListenEvent) {
    let delivery: Delivery? = state.withLock { state in
      state.put(event)
      guard let waiter = state.waiter.take() else { return nil }
      return Delivery(waiter: waiter, event: state.take())
    }
    delivery?.waiter.resume(returning: delivery?.event)
  }

  /// The next event; nil when the task is cancelled.
  func next() async -> ListenEvent? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let delivery: Delivery? = state.withLock { state in
          precondition(state.waiter == nil, "notifications have one reader at a time")
          if let event = state.take() { return Delivery(waiter: waiter, event: event) }
          if Task.isCancelled { return Delivery(waiter: waiter, event: nil) }
          state.waiter = waiter
          return nil
        }
        delivery?.waiter.resume(returning: delivery?.event)
      }
    } onCancel: {
      state.withLock { $0.waiter.take() }?.resume(returning: nil)
    }
  }

  private struct Delivery {
    let waiter: CheckedContinuation<ListenEvent?, Never>
    let event: ListenEvent?
  }
}
