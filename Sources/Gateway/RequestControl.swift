// The handle by which a request in flight is stopped from outside: by a policy that ends it, by its
// client hanging up, for idleness, or because its time is over.
//
// running → stopped, once, for the first reason given. Work that is attached later is cancelled at
// once.

import Hosting
import Synchronization

final class RequestControl: Sendable {
  enum Reason: Sendable {
    /// It is no longer allowed.
    case cut(Denial)
    case clientGone
    /// The engine said nothing more for too long.
    case idle
    /// The client took nothing of what is there for it for too long.
    case unread
    /// It took longer than a whole answer may.
    case overdue
  }

  private struct State {
    var reason: Reason?
    var cancel: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  /// In milliseconds of uptime; idleness counts from the first byte on.
  private let movedAt = Atomic<Int64>(RequestControl.waitingForFirstByte)
  private let idleMilliseconds = Atomic<Int64>(0)
  /// In milliseconds of uptime.
  private let endsAt = Atomic<Int64>(RequestControl.waitingForFirstByte)

  private let isAtClient = Atomic(false)

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

  /// Notes who is waited for from now on: the client, to take what is there, or the engine, for more.
  func waits(forClient isAtClient: Bool) {
    self.isAtClient.store(isAtClient, ordering: .relaxed)
  }

  /// The answer has begun: from here on parts may be so far apart, and the whole may take so long.
  func begins(askedAt: Duration, at uptime: Duration, _ waits: Launch.Waits) {
    idleMilliseconds.store(Int64(waits.idleSeconds) * 1000, ordering: .relaxed)
    endsAt.store(
      Self.milliseconds(askedAt) + Int64(waits.wholeSeconds) * 1000, ordering: .relaxed)
    moved(at: uptime)
  }

  /// Never before the first byte: waiting for that has a limit of its own.
  func overstep(now: Duration) -> Reason? {
    let moved = movedAt.load(ordering: .relaxed)
    let now = Self.milliseconds(now)
    guard moved != Self.waitingForFirstByte else { return nil }
    if now - moved > idleMilliseconds.load(ordering: .relaxed) {
      return isAtClient.load(ordering: .relaxed) ? .unread : .idle
    }
    return now > endsAt.load(ordering: .relaxed) ? .overdue : nil
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
