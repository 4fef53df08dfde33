// Who may know what. One place decides it and every read goes through it: a model that is published
// to nobody answers a viewer exactly as one that does not exist, and so does all that names it.

import HashTreeCollections

/// What one principal may not know of.
package struct Visibility: Equatable, Sendable {
  /// Models that do not exist for this principal.
  package let hidden: Set<ID<Model>>
  /// Whose e-mail address and tokens' names may be read; everybody's, if none.
  private let privateOnlyOf: Actor?

  package static let everything = Visibility(hidden: [], privateOnlyOf: nil)

  private init(hidden: Set<ID<Model>>, privateOnlyOf: Actor?) {
    self.hidden = hidden
    self.privateOnlyOf = privateOnlyOf
  }

  /// Judged by the head, also for reads of the past: what is no secret now is none in hindsight,
  /// and an embargo never comes back. Machines, and who is only invited, read nothing.
  package static func of(
    _ principal: Principal, _ head: HostingState
  ) throws(Refusal) -> Visibility {
    switch principal.role {
    case .admin, .operator, .system: return everything
    case .viewer:
      return Visibility(
        hidden: Set(head.models.summary.embargoed), privateOnlyOf: principal.actor)
    case .agent, .gateway, .invited, .joining:
      throw Refusal(
        "notAllowed", "reading is not for the role \(principal.role.rawValue)",
        help: "use a person's token: wharf login")
    }
  }

  /// The state without what this principal may not know of. Devices of hidden replicas stay
  /// charged: what is free is told as it is, and by whom it is taken is not.
  package func applied(to state: HostingState) -> HostingState {
    if self == .everything { return state }
    var state = state
    for person in state.persons.byID.values
    where person.email != nil && hidesPrivate(of: person.id.stream) {
      state.persons.alter(person.id) { $0.email = nil }
    }
    // Nothing below costs a reader anything from whom no model is hidden.
    if hidden.isEmpty { return state }
    for id in hidden {
      state.models.drop(id)
      for deployment in state.deployments.summary.ofModel[id] ?? [] {
        state.deployments.drop(deployment)
      }
    }
    for team in state.teams.byID.values where namesHidden(team) {
      state.teams.alter(team.id) { team in
        team.grants = team.grants.filter { !hidden.contains($0.key) }
        team.endedGrants = team.endedGrants.filter { !hidden.contains($0.key) }
      }
    }
    return state
  }

  /// Whether a team was given a model that is hidden: whichever is less is looked through.
  private func namesHidden(_ team: Team) -> Bool {
    if hidden.count < team.grants.count + team.endedGrants.count {
      return hidden.contains { team.grants[$0] != nil || team.endedGrants[$0] != nil }
    }
    return team.grants.keys.contains(where: hidden.contains)
      || team.endedGrants.keys.contains(where: hidden.contains)
  }

  /// Whether what concerns nobody but this person and those who look after people is not told.
  private func hidesPrivate(of person: Stream) -> Bool {
    privateOnlyOf.map { $0 != .of(person) } ?? false
  }

  /// An event of a person as it may be told; none where that is as it is.
  package func redacted(_ event: any Event, on stream: Stream) -> (any Event)? {
    guard hidesPrivate(of: stream) else { return nil }
    switch event {
    case let event as PersonInvited:
      return event.email.map { _ in
        PersonInvited(
          name: event.name, role: event.role, invitation: event.invitation, until: event.until)
      }
    case let event as PersonTokenIssued:
      return event.name.map { _ in
        PersonTokenIssued(token: event.token, prefix: event.prefix, until: event.until)
      }
    default: return nil
    }
  }

  /// Whether an event may be shown. `model` tells which model a deployment was made for, also one
  /// that is gone; what it does not know stays hidden.
  package func sees(_ mentions: Mentions, model: (ID<Deployment>) -> ID<Model>?) -> Bool {
    if hidden.isEmpty { return true }
    if mentions.isOpaque || !mentions.models.isDisjoint(with: hidden) { return false }
    return mentions.deployments.allSatisfy { deployment in
      guard let model = model(deployment) else { return false }
      return !hidden.contains(model)
    }
  }
}

/// The models and deployments that an event speaks of, by its stream or its payload.
package struct Mentions: Equatable, Sendable {
  package private(set) var models: Set<ID<Model>> = []
  package private(set) var deployments: Set<ID<Deployment>> = []
  /// Of a command that changed nothing, which may have been about anything.
  package private(set) var isOpaque = false

  package init(of event: any Event, on stream: Stream) {
    self.init(stream)
    switch event {
    case let event as DeploymentCreated: models.insert(event.model)
    case let event as AccessGranted: models.insert(event.model)
    case let event as AccessRevoked: models.insert(event.model)
    case let event as GrantExpired: models.insert(event.model)
    case let event as NodeReported:
      deployments.formUnion(event.attempts.map { ID($0.id.replica.deployment) })
    case is CommandNoted: isOpaque = true
    default: break
    }
  }

  /// What a stream by itself is about.
  package init(_ stream: Stream) {
    switch stream.kind {
    case .model: models.insert(ID(stream.origin))
    case .deployment: deployments.insert(ID(stream.origin))
    case .provider, .agreement, .engine, .team, .key, .person, .node, .gateway, .log: break
    }
  }
}

extension Catalog {
  /// Takes out an element where it is there.
  fileprivate mutating func drop(_ id: ID<Element>) {
    guard self[id] != nil else { return }
    do { try remove(id) } catch { preconditionFailure("\(id) is there: \(error)") }
  }

  fileprivate mutating func alter(_ id: ID<Element>, _ change: (inout Element) -> Void) {
    do { try update(id, change) } catch { preconditionFailure("\(id) is there: \(error)") }
  }
}
