// How much of bodies is held at once: of all requests, of one person's, and of those who showed no good
// token. What machines and admins send has room of its own.

import Hosting
import Synchronization

final class BodyBudget: Sendable {
  /// All bodies that are being read, or wait for their answer.
  static let allBytes = 128 << 20
  /// Of these, for whoever is neither machine nor admin.
  static let othersBytes = 64 << 20
  /// One person's, who is no admin.
  static let personBytes = 8 << 20
  /// Of those who showed no good token: requests to join that are sent again.
  static let strangersBytes = 2 << 20

  /// Who sends a body.
  enum Sender: Hashable {
    case stranger
    case person(Actor)
    case machineOrAdmin

    init(_ principal: Principal) {
      switch principal.role {
      case .admin, .agent, .gateway, .system, .joining: self = .machineOrAdmin
      case .operator, .viewer, .invited: self = .person(principal.actor)
      }
    }
  }

  private struct State {
    var all = 0
    var others = 0
    var bySender: [Sender: Int] = [:]
  }

  private let state = Mutex(State())

  /// Room for so many bytes more; false where there is none.
  func take(_ bytes: Int, for sender: Sender) -> Bool {
    state.withLock { state in
      guard state.all + bytes <= Self.allBytes else { return false }
      let own = state.bySender[sender, default: 0] + bytes
      switch sender {
      case .machineOrAdmin: break
      case .person:
        guard own <= Self.personBytes, state.others + bytes <= Self.othersBytes else {
          return false
        }
        state.others += bytes
      case .stranger:
        guard own <= Self.strangersBytes, state.others + bytes <= Self.othersBytes else {
          return false
        }
        state.others += bytes
      }
      state.all += bytes
      state.bySender[sender] = own
      return true
    }
  }

  func giveBack(_ bytes: Int, of sender: Sender) {
    state.withLock { state in
      state.all -= bytes
      if sender != .machineOrAdmin { state.others -= bytes }
      let left = state.bySender[sender, default: 0] - bytes
      state.bySender[sender] = left > 0 ? left : nil
    }
  }

  /// What is held now.
  var heldBytes: Int { state.withLock { $0.all } }
}
