// Who may send which command. Asked where a command is decided, of the state that it is appended to: who
// was disabled, lost a role, or holds a token that was revoked or ran out while the command waited, is
// refused like any other. The table of roles against commands is Tests/HostingTests/Golden/roles.md.

import HashTreeCollections

extension HostingState {
  /// The principal as of this state and moment, if it may send commands of this type.
  package func authorise(
    _ principal: Principal, _ command: any Command.Type, now: Timestamp
  ) throws(Refusal) -> Principal {
    let current = try standing(of: principal, now: now)
    guard command.allowed.contains(current.role) else {
      throw .notAllowed(current.role, command)
    }
    return current
  }

  private func standing(of principal: Principal, now: Timestamp) throws(Refusal) -> Principal {
    guard let credential = principal.credential else {
      try requireNotForgotten(principal)
      return principal
    }
    guard let current = self.principal(presenting: credential, now: now),
      current.actor == principal.actor
    else { throw .credentialEnded(principal) }
    return current
  }
}

extension Refusal {
  /// The code of the refusal of a secret that was good when it was presented.
  package static let credentialEnded = "credentialEnded"

  fileprivate static func credentialEnded(_ principal: Principal) -> Refusal {
    let (why, help): (String, String) =
      switch principal.role {
      case .admin, .operator, .viewer, .system:
        ("the token was revoked or ran out, or its person was disabled", "wharf login")
      case .invited:
        (
          "the invitation was accepted or replaced, or has run out",
          "ask an admin for another: wharf person invite"
        )
      case .joining:
        ("the join token was used or revoked, or has run out", "wharf node join-token")
      case .agent: ("the node was removed", "join it anew: wharf node join-token")
      case .gateway: ("the gateway was removed", "register it anew: wharf gateway register")
      }
    return Refusal(
      credentialEnded,
      "what \(principal.actor) asked for was not done: before it was decided, \(why)", help: help)
  }
}
