// The policy in the form that requests are decided on: facts, in persistent maps, so that news cost what
// they tell and who decides holds a copy of its own for nothing. Pure; the same policy, moment and request
// always give the same answer.
//
// 1. Without a lease nothing is answered.
// 2. A model that a team may not know of is, for that team, exactly as one that does not exist.
// 3. Why not is said by `Access`, the function that explains it elsewhere.
// 4. Dates bite here, though nothing was heard.

import HashTreeCollections
import Hosting
import Wire

package struct PolicyIndex: Equatable, Sendable {
  package private(set) var position: Position = .empty
  /// The era that its positions are of.
  package private(set) var era: Position = .empty
  /// How long all this holds after the lease, while no leader answers.
  package private(set) var graceSeconds = 0
  /// Whether limits hold over all gateways together, by shares.
  package private(set) var sharesLimits = false
  private var providers: TreeDictionary<Stream, PolicyProvider> = [:]
  private var models: TreeDictionary<Stream, Model> = [:]
  /// By their names in normal form.
  private var modelByName: TreeDictionary<String, Stream> = [:]
  private var teams: TreeDictionary<Stream, Team> = [:]
  private var keys: TreeDictionary<Stream, TeamKey> = [:]
  private var keyByDigest: TreeDictionary<Digest, Stream> = [:]
  /// The model of each replica that there is a route to.
  private var modelByRoute: TreeDictionary<AttemptID, Stream> = [:]

  package struct Team: Equatable, Sendable {
    package var facts: ServedTeam
    /// By models.
    package var grants: TreeDictionary<Stream, PolicyAccess>

    package init(facts: ServedTeam, grants: TreeDictionary<Stream, PolicyAccess> = [:]) {
      self.facts = facts
      self.grants = grants
    }

    package var id: Stream { facts.id }
    package var name: Name { facts.name }
    package var requestsPerMinute: Int? { facts.requestsPerMinute }
    package var tokensPerMinute: Int? { facts.tokensPerMinute }
  }

  package struct Model: Equatable, Sendable {
    package var facts: ServedModel
    /// In the order of their attempts.
    package var routes: [PolicyRoute]

    package init(facts: ServedModel, routes: [PolicyRoute] = []) {
      self.facts = facts
      self.routes = routes
    }

    package var id: Stream { facts.id }
    package var name: String { facts.name }
    package var task: String { facts.task }
    package var contextLength: Int? { facts.contextLength }
    /// Whose it is: what stands before the slash of its name.
    package var provider: String { String(facts.name.prefix { $0 != "/" }) }
  }

  package init() {}

  /// All that there is, from one answer.
  package init(_ news: PolicyNews) {
    self.init()
    add(news)
    follow(news)
  }
}

// MARK: News

extension PolicyIndex {
  /// Takes facts in, which make no policy yet.
  ///
  /// - Returns: replicas that there is no route to any more.
  @discardableResult
  package mutating func add(_ news: PolicyNews) -> Set<AttemptID> {
    let gone = Set(
      news.gone.routes + news.gone.models.flatMap { models[$0]?.routes.map(\.attempt) ?? [] })
    for provider in news.providers { providers[provider.id] = provider }
    for model in news.models { add(model) }
    for team in news.teams {
      teams[team.id] = Team(facts: team, grants: teams[team.id]?.grants ?? [:])
    }
    for grant in news.grants { teams[grant.team]?.grants[grant.model] = grant }
    for key in news.keys { add(key) }
    for told in news.routes { add(told) }
    for id in news.gone.routes { dropRoute(id) }
    for id in news.gone.keys { dropKey(id) }
    for gone in news.gone.grants { teams[gone.team]?.grants[gone.model] = nil }
    for id in news.gone.models { dropModel(id) }
    return gone.filter { modelByRoute[$0] == nil }
  }

  /// From here on it is the policy of that position.
  package mutating func follow(_ news: PolicyNews) {
    position = news.position
    era = news.head.era
    graceSeconds = max(0, news.graceSeconds)
    sharesLimits = news.sharesLimits
  }

  private mutating func add(_ model: ServedModel) {
    if let before = models[model.id]?.name, before != model.name {
      modelByName[ModelReference.normal(before)] = nil
    }
    models[model.id] = Model(facts: model, routes: models[model.id]?.routes ?? [])
    modelByName[ModelReference.normal(model.name)] = model.id
  }

  private mutating func dropModel(_ id: Stream) {
    guard let model = models.removeValue(forKey: id) else { return }
    modelByName[ModelReference.normal(model.name)] = nil
    for route in model.routes { modelByRoute[route.attempt] = nil }
  }

  private mutating func add(_ key: TeamKey) {
    dropKey(key.id)
    keys[key.id] = key
    for secret in key.secrets { keyByDigest[secret.digest] = key.id }
  }

  private mutating func dropKey(_ id: Stream) {
    guard let key = keys.removeValue(forKey: id) else { return }
    for secret in key.secrets where keyByDigest[secret.digest] == id {
      keyByDigest[secret.digest] = nil
    }
  }

  private mutating func add(_ told: ModelRoute) {
    dropRoute(told.route.attempt)
    guard var model = models[told.model] else { return }
    let place = model.routes.firstIndex { told.route.attempt < $0.attempt } ?? model.routes.endIndex
    model.routes.insert(told.route, at: place)
    models[told.model] = model
    modelByRoute[told.route.attempt] = told.model
  }

  private mutating func dropRoute(_ id: AttemptID) {
    guard let model = modelByRoute.removeValue(forKey: id) else { return }
    models[model]?.routes.removeAll { $0.attempt == id }
  }
}

// MARK: Looking up

/// A request that the policy lets through, and where it may go.
package struct Permission: Sendable {
  package let team: PolicyIndex.Team
  package let grant: PolicyAccess
  package let model: PolicyIndex.Model
  /// Ready replicas that serve what was asked for; never empty. Each says by what name its engine
  /// knows the model: the request is rewritten to it.
  package let routes: [PolicyRoute]
}

package enum PolicyDecision: Sendable {
  case serve(Permission)
  case refuse(Denial)
}

extension PolicyIndex {
  /// By name, as it was written or in normal form.
  package func model(named name: String) -> Model? {
    modelByName[ModelReference.normal(name)].flatMap { models[$0] }
  }

  package func team(_ id: Stream) -> Team? { teams[id] }

  package func isRouted(_ attempt: AttemptID) -> Bool { modelByRoute[attempt] != nil }

  /// Whether a team has something of a model.
  package func grants(_ model: Stream, to team: Stream) -> Bool {
    teams[team]?.grants[model]?.workload != nil
  }

  /// `lease` says whether one is held at `now`. `endpoint` is none for a request that was let through there
  /// already.
  package func decide(
    keyDigest: Digest?, model asked: String, at endpoint: Endpoint? = nil, now: Timestamp,
    lease: Bool
  ) -> PolicyDecision {
    do throws(Denial) {
      guard lease else { throw .noLease }
      let team = try team(of: keyDigest, now: now)
      guard let reference = ModelReference(asked), let model = model(named: reference.model) else {
        throw .unknownModel(asked)
      }
      let grant = try grant(of: model, asked: asked, to: team, now: now)
      if let endpoint, !Endpoint.all(of: model.task).contains(endpoint) {
        throw .wrongTask(of: model, at: endpoint)
      }
      let routes = try routes(of: model, label: reference.label)
      return .serve(Permission(team: team, grant: grant, model: model, routes: routes))
    } catch {
      return .refuse(error)
    }
  }

  /// Whose key it is.
  package func team(of keyDigest: Digest?, now: Timestamp) throws(Denial) -> Team {
    guard let keyDigest else { throw .missingKey }
    guard let key = keyByDigest[keyDigest].flatMap({ keys[$0] }), let team = teams[key.team],
      let secret = key.secrets.first(where: { $0.digest == keyDigest })
    else { throw .unknownKey }
    if let end = secret.until, end <= now { throw .expiredKey(at: end) }
    return team
  }

  /// What the team was given of the model. `asked` is the name as it was written.
  package func grant(
    of model: Model, asked: String, to team: Team, now: Timestamp
  ) throws(Denial) -> PolicyAccess {
    let access = access(of: team, to: model)
    switch access.ruling(at: now) {
    case .granted:
      guard let grant = team.grants[model.id] else { throw .unknownModel(asked) }
      return grant
    case .refused(let bar): throw .refused(code: bar.code, access.message(bar))
    case .unknown: throw .unknownModel(asked)
    }
  }

  private func access(of team: Team, to model: Model) -> Access {
    let grant = team.grants[model.id]
    return Access(
      team: team.name, audience: team.facts.audience, model: model.name,
      published: Set(model.facts.published),
      given: grant.flatMap { grant in
        grant.workload.map { .init(workload: $0, until: grant.until) }
      },
      ended: grant.flatMap { grant in
        grant.ended.map { EndedGrant(cause: $0, at: grant.endedAt ?? Timestamp(microseconds: 0)) }
      },
      source: providers[model.facts.provider].map {
        .init(label: $0.label, isSuspended: $0.isSuspended, agreement: $0.agreement)
      })
  }

  /// The ready replicas of the version asked for; of all versions where none was.
  package func routes(of model: Model, label: String?) throws(Denial) -> [PolicyRoute] {
    var routes = model.routes
    var asked = model.name
    if let label {
      guard let version = Self.version(of: model.facts, label) else {
        throw .unknownVersion(label, of: model.name)
      }
      routes = routes.filter { ModelReference.normal($0.version) == version }
      // Other versions may be ready: an alias does not show which one it stands for.
      asked += ":\(version)"
    }
    guard !routes.isEmpty else { throw .noReadyReplica(of: asked) }
    return routes
  }

  private static func version(of model: ServedModel, _ label: String) -> String? {
    if let alias = model.aliases.first(where: { ModelReference.normal($0.key) == label }) {
      return ModelReference.normal(alias.value)
    }
    return model.versions.contains { ModelReference.normal($0) == label } ? label : nil
  }

  /// Why a request that was let through earlier would be refused now: key or grant has ended.
  /// Replicas coming and going do not concern it.
  func ended(keyDigest: Digest, model id: Stream, named name: String, now: Timestamp) -> Denial? {
    do throws(Denial) {
      let team = try team(of: keyDigest, now: now)
      guard let model = models[id] else { throw .unknownModel(name) }
      _ = try grant(of: model, asked: name, to: team, now: now)
      return nil
    } catch {
      return error
    }
  }

  /// The models that the team may use now, by name. One without a version is no answer to a request yet.
  package func usable(by team: Team, now: Timestamp) -> [Model] {
    team.grants.keys.compactMap { models[$0] }
      .filter { model in
        !model.facts.versions.isEmpty
          && access(of: team, to: model).ruling(at: now) == .granted
      }
      .sorted { ModelReference.normal($0.name) < ModelReference.normal($1.name) }
  }
}
