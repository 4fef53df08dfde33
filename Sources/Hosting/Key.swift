// A key: with it a team's programs call the gateway. Made by whoever will hold it; only its digest
// and first characters are here. Revoked and expired keys leave the state.

import HashTreeCollections

package struct Key: Identified, Equatable, Sendable {
  package static let kind = Kind.key

  package let id: ID<Key>
  package let team: ID<Team>
  package let name: Name
  package var secret: Digest
  package var prefix: Text
  package let issuedAt: Timestamp
  package let until: Timestamp?
  /// The secret before the last rotation, still good until its date.
  package var previous: Previous?

  package struct Previous: Equatable, Sendable {
    package let secret: Digest
    package let until: Timestamp
  }
}

extension HostingState {
  package func keys(of team: ID<Team>) -> [Key] {
    keys.values.filter { $0.team == team }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
  }

  package func key(_ name: Name, of team: ID<Team>) -> Key? {
    keys.values.first { $0.team == team && $0.name == name }
  }

  fileprivate func requireUnused(_ secret: Digest) throws(Refusal) {
    guard credentials[secret] == nil, keyBySecret[secret] == nil else {
      throw Refusal("secretInUse", "this secret is already in use", help: "make a new one")
    }
  }
}

// MARK: Events

package enum KeyEvents {
  static let types: [any Event.Type] = [KeyIssued.self, KeyRotated.self, KeyRevoked.self]
}

package struct KeyIssued: Event {
  package static let type = "keyIssued"
  package let team: ID<Team>
  package let name: Name
  package let secret: Digest
  package let prefix: Text
  package let until: Timestamp?

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Key> = try fact.subject()
    state.keys[id] = Key(
      id: id, team: team, name: name, secret: secret, prefix: prefix, issuedAt: fact.recordedAt,
      until: until)
    state.keyBySecret[secret] = id
  }
}

package struct KeyRotated: Event {
  package static let type = "keyRotated"
  package let secret: Digest
  package let prefix: Text
  package let previousUntil: Timestamp

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Key> = try fact.subject()
    if let older = state.keys[id]?.previous { state.keyBySecret[older.secret] = nil }
    try state.keys.change(id) { key in
      key.previous = Key.Previous(secret: key.secret, until: previousUntil)
      key.secret = secret
      key.prefix = prefix
    }
    state.keyBySecret[secret] = id
  }
}

package struct KeyRevoked: Event {
  package static let type = "keyRevoked"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Key> = try fact.subject()
    guard let key = state.keys.removeValue(forKey: id) else {
      throw Contradiction("there is no \(id)")
    }
    state.keyBySecret[key.secret] = nil
    if let previous = key.previous { state.keyBySecret[previous.secret] = nil }
  }
}

// MARK: Commands

package enum KeyCommands {
  static let types: [any Command.Type] = [IssueKey.self, RotateKey.self, RevokeKey.self]
}

package struct IssueKey: Command {
  package static let type = "key.issue"
  package static let keysPerTeamLimit = 1_000
  package let team: Name
  package let name: Name
  package let secret: Digest
  package let prefix: Text
  package let until: Timestamp?

  package init(team: Name, name: Name, secret: Digest, prefix: Text, until: Timestamp? = nil) {
    self.team = team
    self.name = name
    self.secret = secret
    self.prefix = prefix
    self.until = until
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.teams.require(team)
    if state.key(name, of: found.id) != nil {
      throw Refusal(
        "nameTaken", "\(team) already has a key named '\(name)'",
        help: "rotate it: wharf key rotate \(team) --name \(name)")
    }
    guard state.keys(of: found.id).count < Self.keysPerTeamLimit else {
      throw Refusal(
        "tooManyKeys", "\(team) has \(Self.keysPerTeamLimit) keys, the most there may be")
    }
    if let until, until <= decision.now {
      throw Refusal("backdated", "cannot issue a key until \(until.short): that is in the past")
    }
    try state.requireUnused(secret)
    decision.create(
      Key.self,
      KeyIssued(team: found.id, name: name, secret: secret, prefix: prefix, until: until))
  }
}

/// Gives a key a new secret; the old one stays good for a while, so that programs can change over.
package struct RotateKey: Command {
  package static let type = "key.rotate"
  package static let longestGraceSeconds = 30 * 86_400
  package let team: Name
  package let name: Name
  package let secret: Digest
  package let prefix: Text
  package let graceSeconds: Int

  package init(team: Name, name: Name, secret: Digest, prefix: Text, graceSeconds: Int) {
    self.team = team
    self.name = name
    self.secret = secret
    self.prefix = prefix
    self.graceSeconds = graceSeconds
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let key = try state.requireKey(name, of: team)
    guard (0...Self.longestGraceSeconds).contains(graceSeconds) else {
      throw Refusal("graceOutOfRange", "an old secret stays good for 0 to 30 days")
    }
    try state.requireUnused(secret)
    decision.record(
      KeyRotated(
        secret: secret, prefix: prefix,
        previousUntil: decision.now.adding(seconds: Int64(graceSeconds))), on: key.id.stream)
  }
}

package struct RevokeKey: Command {
  package static let type = "key.revoke"
  package let team: Name
  package let name: Name

  package init(team: Name, name: Name) {
    self.team = team
    self.name = name
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let key = try state.requireKey(name, of: team)
    decision.record(KeyRevoked(), on: key.id.stream)
  }
}

extension HostingState {
  fileprivate func requireKey(_ name: Name, of team: Name) throws(Refusal) -> Key {
    let found = try teams.require(team)
    guard let key = key(name, of: found.id) else {
      throw Refusal(
        "unknownKey", "\(team) has no key named '\(name)'", help: "wharf key list \(team)")
    }
    return key
  }
}
