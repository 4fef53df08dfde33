// A key: with it a team's programs call the gateway. Made by whoever will hold it; only its digest
// and first characters are here. It has one secret, and for a while after a rotation the one before it
// too; never more. Revoked and expired keys leave the state.

import HashTreeCollections

package struct Key: Identified, Equatable, Sendable, SnapshotValue {
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

  package struct Previous: Equatable, Sendable, SnapshotValue {
    package let secret: Digest
    package let prefix: Text
    package let until: Timestamp
  }

  package func hasEnded(by now: Timestamp) -> Bool { until.map { $0 <= now } ?? false }

  /// When the secret before the last rotation ends, while it is good.
  package func previousEnd(at now: Timestamp) -> Timestamp? {
    guard let previous, !hasEnded(by: now), now < previous.until else { return nil }
    return until.map { min($0, previous.until) } ?? previous.until
  }
}

extension HostingState {
  package func keys(of team: ID<Team>) -> [Key] {
    (keysOf[team] ?? []).compactMap { keys[$0] }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
  }

  package func key(_ name: Name, of team: ID<Team>) -> Key? {
    keys(of: team).first { $0.name == name }
  }

  fileprivate mutating func dropKey(_ id: ID<Key>) throws(Contradiction) {
    guard let key = keys.removeValue(forKey: id) else { throw Contradiction("there is no \(id)") }
    keyBySecret[key.secret] = nil
    keysOf[key.team]?.remove(id)
    if keysOf[key.team]?.isEmpty == true { keysOf[key.team] = nil }
    endings.remove(.secret(key.secret), until: key.until)
    if let previous = key.previous { keyBySecret[previous.secret] = nil }
  }
}

// MARK: Events

package enum KeyEvents {
  static let types: [any Event.Type] = [
    KeyIssued.self, KeyRotated.self, KeyRevoked.self, KeyExpired.self,
  ]
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
    state.keysOf[team, default: []].insert(id)
    state.endings.add(.secret(secret), until: until)
  }
}

package struct KeyRotated: Event {
  package static let type = "keyRotated"
  package let secret: Digest
  package let prefix: Text
  package let previousUntil: Timestamp

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Key> = try fact.subject()
    if let key = state.keys[id] {
      if let older = key.previous { state.keyBySecret[older.secret] = nil }
      state.endings.remove(.secret(key.secret), until: key.until)
      state.endings.add(.secret(secret), until: key.until)
    }
    try state.keys.change(id) { key in
      key.previous = Key.Previous(secret: key.secret, prefix: key.prefix, until: previousUntil)
      key.secret = secret
      key.prefix = prefix
    }
    state.keyBySecret[secret] = id
  }
}

package struct KeyRevoked: Event {
  package static let type = "keyRevoked"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.dropKey(fact.subject())
  }
}

/// The end of a key came: its name is free.
package struct KeyExpired: Event {
  package static let type = "keyExpired"
  package static let formatLevel = FormatLevel.kept

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.dropKey(fact.subject())
  }
}

// MARK: Commands

package enum KeyCommands {
  static let types: [any Command.Type] = [
    IssueKey.self, RotateKey.self, RevokeKey.self, ExpireKey.self,
  ]
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
    if let known = state.key(name, of: found.id) {
      guard known.hasEnded(by: decision.now), state.log.formatLevel >= FormatLevel.kept else {
        throw Refusal(
          "nameTaken", "\(team) already has a key named '\(name)'",
          help: "rotate it: wharf key rotate \(team) --name \(name)")
      }
      // Its end came, and is not noted yet.
      decision.record(KeyExpired(), on: known.id.stream)
    }
    guard state.keys(of: found.id).count < Self.keysPerTeamLimit else {
      throw Refusal(
        "tooManyKeys", "\(team) has \(Self.keysPerTeamLimit) keys, the most there may be",
        help: "revoke one that nobody uses: wharf key list; wharf key revoke \(team) --name NAME")
    }
    if let until, until <= decision.now {
      throw Refusal(
        "backdated", "cannot issue a key until \(until.short): that is in the past",
        help: "name an end to come, or none")
    }
    try state.requireUnused(secret)
    decision.create(
      Key.self,
      KeyIssued(team: found.id, name: name, secret: secret, prefix: prefix, until: until))
  }
}

/// Gives a key a new secret; the old one stays good for a while, so that programs can change over. While
/// that lasts there is no other rotation, unless it is said that the older secret shall end with it.
package struct RotateKey: Command {
  package static let type = "key.rotate"
  package static let longestGraceSeconds = 30 * 86_400
  package let team: Name
  package let name: Name
  package let secret: Digest
  package let prefix: Text
  package let graceSeconds: Int
  /// The secret that an earlier rotation promised a while for ends now.
  package let endPreviousNow: Bool?

  package init(
    team: Name, name: Name, secret: Digest, prefix: Text, graceSeconds: Int,
    endPreviousNow: Bool? = nil
  ) {
    self.team = team
    self.name = name
    self.secret = secret
    self.prefix = prefix
    self.graceSeconds = graceSeconds
    self.endPreviousNow = endPreviousNow
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let key = try state.requireKey(name, of: team)
    guard (0...Self.longestGraceSeconds).contains(graceSeconds) else {
      throw Refusal(
        "graceOutOfRange", "an old secret stays good for 0 to 30 days",
        help: "say it as --grace 24h; with 0s it ends at once")
    }
    if key.hasEnded(by: decision.now), let until = key.until {
      throw Refusal(
        "keyExpired", "cannot rotate key '\(name)' of \(team): it ended on \(until.short)",
        help: "make a new one: wharf key issue \(team) --name \(name)")
    }
    if let end = key.previousEnd(at: decision.now), endPreviousNow != true {
      throw Refusal(
        "previousSecretLives",
        "cannot rotate key '\(name)' of \(team) yet: the secret before its last rotation is good until "
          + "\(end.short), as was said then, and a key has two secrets at most",
        help:
          "rotate it after that, or end the older secret at once: wharf key rotate \(team) --name "
          + "\(name) --end-previous-now")
    }
    try state.requireUnused(secret)
    let graceEnd = decision.now.adding(seconds: Int64(graceSeconds))
    decision.record(
      KeyRotated(
        secret: secret, prefix: prefix,
        previousUntil: key.until.map { min($0, graceEnd) } ?? graceEnd),
      on: key.id.stream)
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

/// The reconciler notes that the end of a key came.
package struct ExpireKey: Command {
  package static let type = "key.expire"
  package static let allowed: Set<Role> = [.system]
  package let key: ID<Key>

  package init(key: ID<Key>) { self.key = key }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard state.keys[key]?.hasEnded(by: decision.now) == true else { return }
    decision.record(KeyExpired(), on: key.stream)
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
