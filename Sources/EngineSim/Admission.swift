// Who may run, who waits, who is refused: at most `maxRunning` at once, at most `maxWaiting` in line,
// first come first served.
//
// A request is refused, or admitted, or waits; a waiting one is admitted when another leaves, or goes
// away when its client does. An admitted one leaves exactly once.

import Synchronization

/// The rules alone; whoever calls performs the action.
struct AdmissionState {
  enum Arrival { case admitted, waits, refused }

  let maxRunning: Int
  let maxWaiting: Int
  private(set) var running = 0
  private(set) var waiting: [UInt64] = []

  mutating func arrive(_ id: UInt64) -> Arrival {
    if running < maxRunning {
      running += 1
      return .admitted
    }
    guard waiting.count < maxWaiting else { return .refused }
    waiting.append(id)
    return .waits
  }

  /// Returns who takes the place that became free.
  mutating func leave() -> UInt64? {
    precondition(running > 0, "left without having been admitted")
    guard !waiting.isEmpty else {
      running -= 1
      return nil
    }
    return waiting.removeFirst()
  }

  /// Returns whether it was still waiting.
  mutating func giveUp(_ id: UInt64) -> Bool {
    guard let index = waiting.firstIndex(of: id) else { return false }
    waiting.remove(at: index)
    return true
  }
}

final class Admission: Sendable {
  private struct State {
    var rules: AdmissionState
    var lastID: UInt64 = 0
    var continuations: [UInt64: CheckedContinuation<Bool, any Error>] = [:]
  }

  private let state: Mutex<State>

  init(maxRunning: Int, maxWaiting: Int) {
    state = Mutex(State(rules: AdmissionState(maxRunning: maxRunning, maxWaiting: maxWaiting)))
  }

  var load: (running: Int, waiting: Int) {
    state.withLock { ($0.rules.running, $0.rules.waiting.count) }
  }

  /// Waits for a place. Returns nil when there is none to run and none to wait.
  /// - Throws: `CancellationError`.
  func enter() async throws -> Place? {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    let isAdmitted = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { arrive(id, $0) }
    } onCancel: {
      let abandoned = state.withLock { state in
        state.rules.giveUp(id) ? state.continuations.removeValue(forKey: id) : nil
      }
      abandoned?.resume(throwing: CancellationError())
    }
    return isAdmitted ? Place(admission: self) : nil
  }

  private func arrive(_ id: UInt64, _ continuation: CheckedContinuation<Bool, any Error>) {
    let arrival: AdmissionState.Arrival? = state.withLock { state in
      // A cancellation before this point found nobody waiting: it is noticed here.
      guard !Task.isCancelled else { return nil }
      let arrival = state.rules.arrive(id)
      if arrival == .waits { state.continuations[id] = continuation }
      return arrival
    }
    switch arrival {
    case .admitted: continuation.resume(returning: true)
    case .refused: continuation.resume(returning: false)
    case .waits: break
    case nil: continuation.resume(throwing: CancellationError())
    }
  }

  fileprivate func leave() {
    let next = state.withLock { state in
      state.rules.leave().flatMap { state.continuations.removeValue(forKey: $0) }
    }
    next?.resume(returning: true)
  }
}

/// A place among the running. It is given back by `leave()`, or when nobody holds it any more: a
/// reply whose client vanished may never be written.
final class Place: Sendable {
  private let admission: Admission
  private let left = Mutex(false)

  fileprivate init(admission: Admission) { self.admission = admission }

  func leave() {
    let isFirst = left.withLock { left in
      defer { left = true }
      return !left
    }
    if isFirst { admission.leave() }
  }

  deinit { leave() }
}
