// Who has how many streams of events open: bounded for all, and for each person.

import HTTPTypes
import Hosting
import Synchronization

final class StreamSeats: Sendable {
  /// At most so many streams at once from one wharfd.
  static let allLimit = 100
  /// Of these, so many are left to admins.
  static let forAdminsLimit = 20
  static let perPersonLimit = 8

  private struct State {
    var all = 0
    var byPerson: [Actor: Int] = [:]
  }

  private let state = Mutex(State())

  /// One stream's; free again once nobody holds it.
  final class Seat: Sendable {
    private let seats: StreamSeats
    private let actor: Actor

    fileprivate init(_ seats: StreamSeats, _ actor: Actor) {
      self.seats = seats
      self.actor = actor
    }

    deinit { seats.leave(actor) }
  }

  func take(_ principal: Principal) throws -> Seat {
    let room = Self.allLimit - (principal.role == .admin ? 0 : Self.forAdminsLimit)
    let full: (String, String)? = state.withLock { state in
      let own = state.byPerson[principal.actor, default: 0]
      guard own < Self.perPersonLimit else {
        return (
          "this person already has \(Self.perPersonLimit) streams of events open here",
          "end one of them; one stream can follow several kinds and types: ?kind=team,key"
        )
      }
      guard state.all < room else {
        return (
          "this wharfd already sends \(state.all) streams of events",
          "end one of them, or ask another wharfd"
        )
      }
      state.all += 1
      state.byPerson[principal.actor] = own + 1
      return nil
    }
    if let (message, help) = full {
      throw APIError(.tooManyRequests, "tooManyStreams", message, help: help)
    }
    return Seat(self, principal.actor)
  }

  private func leave(_ actor: Actor) {
    state.withLock { state in
      state.all -= 1
      let left = state.byPerson[actor, default: 0] - 1
      state.byPerson[actor] = left > 0 ? left : nil
    }
  }

  var count: Int { state.withLock { $0.all } }
}
