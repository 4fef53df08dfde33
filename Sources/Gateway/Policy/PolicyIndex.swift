// The policy in the form that requests are decided on: immutable, looked up by key digest and model
// name. Pure; the same policy, moment and request always give the same answer.
//
// 1. Without a lease nothing is answered.
// 2. A model that stands neither in a team's grants nor in its refusals is, for that team, exactly
//    as one that does not exist.
// 3. A refusal outweighs a grant.
// 4. Dates bite here, by the gateway's own clock, though nothing was heard.

import Hosting
import Wire

package struct PolicyIndex: Sendable {
  package let position: Position
  /// How long all this holds after the lease, while no leader answers.
  package let graceSeconds: Int
  /// Whether limits hold over all gateways together, by shares.
  package let sharesLimits: Bool
  package let keys: [Digest: PolicyKey]
  package let teams: [Stream: Team]
  /// By their names in normal form.
  package let models: [String: PolicyModel]

  package struct Team: Sendable {
    package let id: Stream
    package let name: Name
    package let requestsPerMinute: Int?
    package let tokensPerMinute: Int?
    package let grants: [Stream: PolicyGrant]
    package let refusals: [Stream: PolicyRefusal]
  }

  package init(_ policy: Policy) {
    position = policy.position
    graceSeconds = max(0, policy.graceSeconds ?? 0)
    sharesLimits = policy.sharesLimits ?? false
    keys = Dictionary(policy.keys.map { ($0.digest, $0) }) { first, _ in first }
    teams = Dictionary(policy.teams.map { ($0.id, Team($0)) }) { first, _ in first }
    models = Dictionary(
      policy.models.map { (ModelReference.normal($0.name), $0) }
    ) { first, _ in first }
  }
}

extension PolicyIndex.Team {
  fileprivate init(_ team: PolicyTeam) {
    id = team.id
    name = team.name
    requestsPerMinute = team.requestsPerMinute
    tokensPerMinute = team.tokensPerMinute
    grants = Dictionary(team.grants.map { ($0.model, $0) }) { first, _ in first }
    refusals = Dictionary(team.refusals.map { ($0.model, $0) }) { first, _ in first }
  }
}

/// A request that the policy lets through, and where it may go.
package struct Permission: Sendable {
  package let team: PolicyIndex.Team
  package let grant: PolicyGrant
  package let model: PolicyModel
  /// Ready replicas that serve what was asked for; never empty. Each says by what name its engine
  /// knows the model: the request is rewritten to it.
  package let routes: [PolicyRoute]
}

package enum PolicyDecision: Sendable {
  case serve(Permission)
  case refuse(Denial)
}

extension PolicyIndex {
  /// `lease` says whether one is held at `now`. `endpoint` is none for a request that was let through there
  /// already.
  package func decide(
    keyDigest: Digest?, model asked: String, at endpoint: Endpoint? = nil, now: Timestamp,
    lease: Bool
  ) -> PolicyDecision {
    do throws(Denial) {
      guard lease else { throw .noLease }
      let team = try team(of: keyDigest, now: now)
      guard let reference = ModelReference(asked), let model = models[reference.model] else {
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
    guard let key = keys[keyDigest], let team = teams[key.team] else { throw .unknownKey }
    if let end = key.notAfter, end <= now { throw .expiredKey(at: end) }
    return team
  }

  /// What the team was given of the model. `asked` is the name as it was written.
  package func grant(
    of model: PolicyModel, asked: String, to team: Team, now: Timestamp
  ) throws(Denial) -> PolicyGrant {
    if let refusal = team.refusals[model.id] {
      throw .refused(code: refusal.code, refusal.message)
    }
    guard let grant = team.grants[model.id] else { throw .unknownModel(asked) }
    try Self.requireInForce(grant, of: model.name, now: now)
    return grant
  }

  /// An agreement that has not begun or has ended is the reason, also where the grant would go on.
  private static func requireInForce(
    _ grant: PolicyGrant, of model: String, now: Timestamp
  ) throws(Denial) {
    if let begin = grant.notBefore, now < begin { throw .noAgreementYet(for: model, from: begin) }
    guard let end = grant.notAfter, end <= now else { return }
    if let agreementEnd = grant.agreementEnd, agreementEnd <= now {
      throw .noAgreement(for: model, since: agreementEnd)
    }
    throw .expiredGrant(of: model, at: end)
  }

  /// The ready replicas of the version asked for; of all versions where none was.
  package func routes(of model: PolicyModel, label: String?) throws(Denial) -> [PolicyRoute] {
    var routes = model.routes
    var asked = model.name
    if let label {
      guard let version = Self.version(of: model, label) else {
        throw .unknownVersion(label, of: model.name)
      }
      routes = routes.filter { ModelReference.normal($0.version) == version }
      // Other versions may be ready: an alias does not show which one it stands for.
      asked += ":\(version)"
    }
    guard !routes.isEmpty else { throw .noReadyReplica(of: asked) }
    return routes
  }

  private static func version(of model: PolicyModel, _ label: String) -> String? {
    if let alias = model.aliases.first(where: { ModelReference.normal($0.key) == label }) {
      return ModelReference.normal(alias.value)
    }
    return model.versions.contains { ModelReference.normal($0) == label } ? label : nil
  }

  /// Why a request that was let through earlier would be refused now: key or grant has ended.
  /// Replicas coming and going do not concern it.
  func ended(keyDigest: Digest, model: Stream, named name: String, now: Timestamp) -> Denial? {
    do throws(Denial) {
      let team = try team(of: keyDigest, now: now)
      if let refusal = team.refusals[model] {
        throw .refused(code: refusal.code, refusal.message)
      }
      guard let grant = team.grants[model] else { throw .unknownModel(name) }
      try Self.requireInForce(grant, of: name, now: now)
      return nil
    } catch {
      return error
    }
  }

  /// The models that the team may use now, by name. One without a version is no answer to a request yet.
  package func usable(by team: Team, now: Timestamp) -> [PolicyModel] {
    models.sorted { $0.key < $1.key }.map(\.value).filter { model in
      !model.versions.isEmpty && team.refusals[model.id] == nil
        && team.grants[model.id].map { grant in
          (grant.notAfter.map { now < $0 } ?? true) && (grant.notBefore.map { $0 <= now } ?? true)
        } ?? false
    }
  }
}
