// A team and its grants: which models it may use, for what, how much, and until when.

import HashTreeCollections

package struct Team: PlainlyNamed, SnapshotValue {
  package static let kind = Kind.team

  package let id: ID<Team>
  package let name: Name
  package let title: Text
  package let audience: Audience
  package let registeredAt: Timestamp
  /// Over all models together.
  package var quota = Quota()
  package var heldGrants = Unread<TreeDictionary<ID<Model>, Grant>>([:])
  package var heldEndedGrants = Unread<TreeDictionary<ID<Model>, EndedGrant>>([:])
}

extension Team {
  package var grants: TreeDictionary<ID<Model>, Grant> {
    get { heldGrants.value }
    _modify { yield &heldGrants.value }
  }
  /// Why a grant that the team once had is no more; told to whoever still asks.
  package var endedGrants: TreeDictionary<ID<Model>, EndedGrant> {
    get { heldEndedGrants.value }
    _modify { yield &heldEndedGrants.value }
  }
}

package struct Quota: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead, SnapshotValue {
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?

  package init(requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil) {
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
  }

  static let largest = 1_000_000_000_000

  fileprivate func check() throws(Refusal) {
    for limit in [requestsPerMinute, tokensPerMinute] {
      if let limit, !(1...Self.largest).contains(limit) {
        throw Refusal(
          "quotaOutOfRange",
          "a quota is 1 to \(Self.largest) a minute, and \(limit) is not",
          help: "leave it out for no limit")
      }
    }
  }
}

package struct Grant: Equatable, Sendable, SnapshotValue {
  package let model: ID<Model>
  package let workload: Workload
  package let quota: Quota
  package let until: Timestamp?
  package let grantedAt: Timestamp
  package let position: Position
}

package struct EndedGrant: Equatable, Sendable, SnapshotValue {
  package enum Cause: String, CaseIterable, Sendable, JSONCoded { case revoked, expired }
  package let cause: Cause
  package let at: Timestamp

  package init(cause: Cause, at: Timestamp) {
    self.cause = cause
    self.at = at
  }
}

// MARK: Events

package enum TeamEvents {
  static let types: [any Event.Type] = [
    TeamRegistered.self, AccessGranted.self, AccessRevoked.self, GrantExpired.self, QuotaSet.self,
  ]
}

package struct TeamRegistered: Event {
  package static let type = "teamRegistered"
  package let name: Name
  package let title: Text
  package let audience: Audience

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.teams.insert(
      Team(
        id: fact.subject(), name: name, title: title, audience: audience,
        registeredAt: fact.recordedAt))
  }
}

package struct AccessGranted: Event {
  package static let type = "accessGranted"
  package let model: ID<Model>
  package let workload: Workload
  package let quota: Quota
  package let until: Timestamp?

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Team> = try fact.subject()
    state.forgetEnd(ofGrantTo: id, model)
    state.endings.add(.grant(id, model), until: until)
    try state.teams.update(id) { team in
      team.grants[model] = Grant(
        model: model, workload: workload, quota: quota, until: until, grantedAt: fact.recordedAt,
        position: fact.position)
      team.endedGrants[model] = nil
    }
  }
}

package struct AccessRevoked: Event {
  package static let type = "accessRevoked"
  package let model: ID<Model>

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Team> = try fact.subject()
    state.forgetEnd(ofGrantTo: id, model)
    try state.teams.update(id) { team in
      team.end(model, EndedGrant(cause: .revoked, at: fact.recordedAt))
    }
  }
}

/// A grant's end came: a fact appended once by the reconciler.
package struct GrantExpired: Event {
  package static let type = "grantExpired"
  package let model: ID<Model>

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Team> = try fact.subject()
    state.forgetEnd(ofGrantTo: id, model)
    try state.teams.update(id) { team in
      let until = team.grants[model]?.until ?? fact.recordedAt
      team.end(model, EndedGrant(cause: .expired, at: until))
    }
  }
}

extension Team {
  /// So many ended grants of a team are remembered, and up to twice as many: of one that ended before those
  /// the log tells, and requests are told that there is no grant.
  package static let endedGrantsKept = 128

  fileprivate mutating func end(_ model: ID<Model>, _ ended: EndedGrant) {
    grants[model] = nil
    endedGrants[model] = ended
    guard endedGrants.count >= 2 * Self.endedGrantsKept else { return }
    let oldest = endedGrants.sorted { ($0.value.at, $0.key) < ($1.value.at, $1.key) }
    for (model, _) in oldest.prefix(Self.endedGrantsKept) { endedGrants[model] = nil }
  }
}

extension HostingState {
  fileprivate mutating func forgetEnd(ofGrantTo team: ID<Team>, _ model: ID<Model>) {
    endings.remove(.grant(team, model), until: teams[team]?.grants[model]?.until)
  }
}

package struct QuotaSet: Event {
  package static let type = "quotaSet"
  package let quota: Quota

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.teams.update(fact.subject()) { $0.quota = quota }
  }
}

// MARK: Commands

package enum TeamCommands {
  static let types: [any Command.Type] = [
    RegisterTeam.self, GrantAccess.self, RevokeAccess.self, ExpireGrant.self, SetQuota.self,
  ]
}

package struct RegisterTeam: Command {
  package static let type = "team.register"
  package let name: Name
  package let title: Text?
  package let audience: Audience

  package init(name: Name, title: Text? = nil, audience: Audience) {
    self.name = name
    self.title = title
    self.audience = audience
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try state.teams.requireFree(name)
    decision.create(
      Team.self, TeamRegistered(name: name, title: title ?? Text(naming: name), audience: audience))
  }
}

/// Grants a team access to a model; a second grant replaces the first.
package struct GrantAccess: Command {
  package static let type = "team.grant"
  package let team: Name
  package let model: ModelReference
  /// Inference when absent.
  package let workload: Workload?
  package let quota: Quota?
  package let until: Timestamp?

  package init(
    team: Name, model: ModelReference, workload: Workload? = nil, quota: Quota? = nil,
    until: Timestamp? = nil
  ) {
    self.team = team
    self.model = model
    self.workload = workload
    self.quota = quota
    self.until = until
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.teams.require(team)
    let granted = try state.models.require(model)
    let attempt = "grant \(team) access to \(granted.label)"
    if model.version != nil {
      throw Refusal(
        "grantOfVersion", "cannot \(attempt): a grant is of a model, not of one version",
        help: "wharf team grant \(team) \(granted.label)")
    }
    if granted.retiredAt != nil || granted.deprecatedAt != nil {
      throw Refusal(
        "modelDeprecated", "cannot \(attempt): the model is \(granted.status)",
        help: "grant another; what there is: wharf model list")
    }
    let provider = try state.owner(of: granted)
    let workload = workload ?? .inference
    _ = try state.agreementAllowing(
      workload, for: found.audience, of: provider, to: attempt, now: decision.now)
    guard granted.published[found.audience] != nil else {
      throw Refusal(
        "modelNotPublished",
        "cannot \(attempt): the model is not published to \(found.audience.rawValue) teams",
        help: "wharf model publish \(granted.label) --to \(found.audience.rawValue)")
    }
    let quota = quota ?? Quota()
    try quota.check()
    if let until, until <= decision.now {
      throw Refusal(
        "backdated", "cannot \(attempt) until \(until.short): that is in the past",
        help: "name a date to come")
    }
    if let known = found.grants[granted.id], known.workload == workload, known.quota == quota,
      known.until == until
    {
      return
    }
    decision.record(
      AccessGranted(model: granted.id, workload: workload, quota: quota, until: until),
      on: found.id.stream)
  }
}

package struct RevokeAccess: Command {
  package static let type = "team.revoke"
  package let team: Name
  package let model: ModelReference

  package init(team: Name, model: ModelReference) {
    self.team = team
    self.model = model
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.teams.require(team)
    try model.requireWhole(to: "revoke \(team)'s access to")
    let granted = try state.models.require(model)
    if found.grants[granted.id] != nil {
      decision.record(AccessRevoked(model: granted.id), on: found.id.stream)
    } else if found.endedGrants[granted.id] == nil {
      throw Refusal(
        "notGranted", "cannot revoke \(granted.label) from \(team): it was never granted",
        help: "wharf team show \(team)")
    }
  }
}

/// Notes that a grant's end has come.
package struct ExpireGrant: Command {
  package static let type = "team.expireGrant"
  package static let allowed: Set<Role> = [.system]
  package let team: ID<Team>
  package let model: ID<Model>

  package init(team: ID<Team>, model: ID<Model>) {
    self.team = team
    self.model = model
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let until = state.teams[team]?.grants[model]?.until, until <= decision.now else { return }
    decision.record(GrantExpired(model: model), on: team.stream)
  }
}

/// Sets a team's limits over all models together.
package struct SetQuota: Command {
  package static let type = "team.quota"
  package let team: Name
  package let quota: Quota

  package init(team: Name, quota: Quota) {
    self.team = team
    self.quota = quota
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.teams.require(team)
    try quota.check()
    if found.quota != quota { decision.record(QuotaSet(quota: quota), on: found.id.stream) }
  }
}
