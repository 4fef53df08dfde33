// Reads that may go through much of the log: by type, under a name that is gone, of a state of long ago.
// One person has few of them at once, those who are no admins leave a connection to the database to the
// others, and each ends with its client.

import EventLog
import HTTPServing
import HTTPTypes
import Hosting
import Synchronization

final class ScanBudget: Sendable {
  /// At most so many at once of one person.
  static let perPersonLimit = 2
  /// At most so many at once of all who are no admins; the pool of connections has one more.
  static let othersLimit = 3

  private struct State {
    var byPerson: [Actor: Int] = [:]
    var others = 0
  }

  private let state = Mutex(State())

  /// How many are under way of those who are no admins.
  var others: Int { state.withLock { $0.others } }

  /// Does a read within the budget; given up when the client has gone.
  func scan<Value: Sendable>(
    by principal: Principal, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try begin(principal)
    defer { end(principal) }
    let reading = Task { try await body() }
    let connection = KnownCaller.connection
    connection?.whenGone { reading.cancel() }
    defer { connection?.whenGone(nil) }
    return try await withTaskCancellationHandler {
      try await reading.value
    } onCancel: {
      reading.cancel()
    }
  }

  private func begin(_ principal: Principal) throws {
    let full: String? = state.withLock { state in
      let own = state.byPerson[principal.actor, default: 0]
      guard own < Self.perPersonLimit else {
        return
          "this person already has \(Self.perPersonLimit) reads under way that go through the log"
      }
      if principal.role != .admin {
        guard state.others < Self.othersLimit else {
          return "there are already \(Self.othersLimit) reads under way that go through the log"
        }
        state.others += 1
      }
      state.byPerson[principal.actor] = own + 1
      return nil
    }
    guard let full else { return }
    throw APIError(
      .tooManyRequests, "tooManyScans", full,
      help: "wait for one of them, or name a stream: wharf history NOUN NAME")
  }

  private func end(_ principal: Principal) {
    state.withLock { state in
      let left = state.byPerson[principal.actor, default: 0] - 1
      state.byPerson[principal.actor] = left > 0 ? left : nil
      if principal.role != .admin { state.others -= 1 }
    }
  }
}
