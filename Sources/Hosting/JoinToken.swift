// A join token: with it one agent joins, once. Made by whoever will hand it to the agent; only its digest
// and first characters are here. It leaves the state when it is used, revoked, or its end is noted.

import HashTreeCollections

package struct JoinToken: Equatable, Sendable, SnapshotValue {
  package let secret: Digest
  /// None of one from before this was told.
  package let prefix: Text?
  package let issuedAt: Timestamp
  package let until: Timestamp
}

extension HostingState {
  /// Takes out the join token that may become this node, if it is still there.
  mutating func dropJoinToken(_ id: ID<Node>) {
    guard let token = joinTokens.removeValue(forKey: id) else { return }
    credentials[token.secret] = nil
    endings.remove(.secret(token.secret), until: token.until)
  }
}

// MARK: Events

package enum JoinTokenEvents {
  static let types: [any Event.Type] = [JoinTokenIssued.self, JoinTokenEnded.self]
}

package struct JoinTokenIssued: Event {
  package static let type = "joinTokenIssued"
  package let token: Digest
  package let until: Timestamp
  /// None in a log below `FormatLevel.kept`.
  package let prefix: Text?

  package init(token: Digest, until: Timestamp, prefix: Text? = nil) {
    self.token = token
    self.until = until
    self.prefix = prefix
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    state.credentials[token] = Credential(holder: id.stream, use: .joinToken(until: until))
    state.endings.add(.secret(token), until: until)
    state.joinTokens[id] = JoinToken(
      secret: token, prefix: prefix, issuedAt: fact.recordedAt, until: until)
  }
}

/// Nobody joins with it any more, and nobody did.
package struct JoinTokenEnded: Event {
  package static let type = "joinTokenEnded"
  package static let formatLevel = FormatLevel.kept
  package let cause: EndCause

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Node> = try fact.subject()
    guard state.joinTokens[id] != nil else { throw Contradiction("\(id) has no join token") }
    state.dropJoinToken(id)
  }
}

// MARK: Commands

package enum JoinTokenCommands {
  static let types: [any Command.Type] = [
    IssueJoinToken.self, RevokeJoinToken.self, ExpireJoinToken.self,
  ]
}

/// Lets one agent join, once.
package struct IssueJoinToken: Command {
  package static let type = "node.issueJoinToken"
  package static let longestValidHours = 24 * 30
  package let token: Digest
  package let validHours: Int
  package let prefix: Text?

  package init(token: Digest, validHours: Int, prefix: Text? = nil) {
    self.token = token
    self.validHours = validHours
    self.prefix = prefix
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard (1...Self.longestValidHours).contains(validHours) else {
      throw Refusal(
        "validityOutOfRange",
        "a join token is valid for 1 to \(Self.longestValidHours) hours, not \(validHours)",
        help: "say it in whole hours or days, as --valid 24h")
    }
    guard state.credentials[token] == nil else {
      throw Refusal("secretInUse", "this token is already in use", help: "make a new one")
    }
    let until = decision.now.adding(seconds: Int64(validHours) * 3_600)
    let isTold = state.log.formatLevel >= FormatLevel.kept
    decision.create(
      Node.self, JoinTokenIssued(token: token, until: until, prefix: isTold ? prefix : nil))
  }
}

/// Lets nobody join with a token that was given out and not used.
package struct RevokeJoinToken: Command {
  package static let type = "node.revokeJoinToken"
  /// The id that the node would have had.
  package let joinToken: ID<Node>

  package init(joinToken: ID<Node>) { self.joinToken = joinToken }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    if let node = state.nodes[joinToken] {
      throw Refusal(
        "joinTokenSpent", "cannot revoke join token \(joinToken): node \(node.name) joined with it",
        help: "take the node out: wharf node remove \(node.name)")
    }
    guard state.joinTokens[joinToken] != nil else {
      throw Refusal(
        "unknownJoinToken", "there is no join token \(joinToken) that could still be used",
        help: "list them with: wharf node join-tokens")
    }
    decision.record(JoinTokenEnded(cause: .revoked), on: joinToken.stream)
  }
}

/// The reconciler notes that a join token's end came.
package struct ExpireJoinToken: Command {
  package static let type = "node.expireJoinToken"
  package static let allowed: Set<Role> = [.system]
  package let joinToken: ID<Node>

  package init(joinToken: ID<Node>) { self.joinToken = joinToken }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let token = state.joinTokens[joinToken], token.until <= decision.now else { return }
    decision.record(JoinTokenEnded(cause: .expired), on: joinToken.stream)
  }
}
