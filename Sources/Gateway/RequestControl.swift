// The handle by which a request in flight is stopped from outside: by a policy that ends it, by its
// client hanging up, or for idleness.
//
// running → stopped, once, for the first reason given. Work that is attached later is cancelled at
// once.

import Synchronization

final class RequestControl: Sendable {
  enum Reason: Sendable {
    /// It is no longer allowed.
    case cut(Denial)
    case clientGone
    /// Neither engine nor client moved for too long.
    case idle
  }

  private struct State {
    var reason: Reason?
    var cancel: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  /// In milliseconds of uptime; idleness counts from the first byte on.
  private let movedAt = Atomic<Int64>(RequestControl.waitingForFirstByte)

  var reason: Reason? { state.withLock { $0.reason } }

  /// What is to be cancelled from now on.
  func attach(_ cancel: @escaping @Sendable () -> Void) {
    let isStopped = state.withLock { state in
      state.cancel = cancel
      return state.reason != nil
    }
    if isStopped { cancel() }
  }

  func stop(_ reason: Reason) {
    let cancel = state.withLock { state in
      guard state.reason == nil else { return nil as (@Sendable () -> Void)? }
      state.reason = reason
      return state.cancel
    }
    cancel?()
  }

  /// Notes that a part of the answer arrived and was passed on.
  func moved(at uptime: Duration) {
    movedAt.store(Self.milliseconds(uptime), ordering: .relaxed)
  }

  /// Never before the first byte: waiting for that has a limit of its own.
  func isIdle(now: Duration, limit: Duration) -> Bool {
    let moved = movedAt.load(ordering: .relaxed)
    return moved != Self.waitingForFirstByte
      && Self.milliseconds(now) - moved > Self.milliseconds(limit)
  }

  private static let waitingForFirstByte = Int64.max

  private static func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
  }
}

/// Runs `operation` on `executor` so that `control` can stop it, whoever waits for it.
func withControl<Value: Sendable>(
  _ control: RequestControl, on executor: any TaskExecutor,
  _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let task = Task(executorPreference: executor, operation: operation)
  control.attach { task.cancel() }
  return try await withTaskCancellationHandler {
    try await task.value
  } onCancel: {
    task.cancel()
  }
}
