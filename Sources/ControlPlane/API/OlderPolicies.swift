// The policy as gateways of before its news take it: whole, with a refusal for each team and model. It is
// made anew where something changed, and may go with the last of those gateways.

import EventLog
import HashTreeCollections
import Hosting
import Synchronization
import Wire

package final class OlderPolicies: Sendable {
  private struct Kept {
    /// Of the leader that it was made by.
    var epoch: Position
    var seen: Position
    var lastChange: Position
    var policy: Policy
  }

  private let assignments: Assignments
  private let kept = Mutex<Kept?>(nil)

  init(assignments: Assignments) { self.assignments = assignments }

  /// The policy of this head. Its position is that at which its content was first seen in this epoch:
  /// never one of an earlier leader's, so two policies of one position are one.
  ///
  /// Nor is it one from before the last change: whoever has this one enforces that.
  ///
  /// - Parameter head: at or past the epoch.
  func policy(at head: Head, epoch: Position, lastChange: Position) -> Policy {
    var policy = known(at: head, epoch) ?? renewed(at: head, epoch, lastChange)
    // Its head tells how much is known here, which is more than when the policy was new: a gateway that
    // has seen more of the log than a policy says would not believe it.
    if head.state.position > policy.head.position { policy.head = head.witness }
    return policy
  }

  private func known(at head: Head, _ epoch: Position) -> Policy? {
    kept.withLock { kept in
      guard let kept, kept.epoch == epoch, kept.seen >= head.state.position else { return nil }
      return kept.policy
    }
  }

  private func renewed(at head: Head, _ epoch: Position, _ lastChange: Position) -> Policy {
    var policy = content(head)
    return kept.withLock { kept in
      if let other = kept, other.epoch >= epoch, other.seen >= head.state.position {
        return other.policy
      }
      if let known = kept, known.epoch == epoch, known.lastChange == lastChange,
        known.policy.hasContent(of: policy)
      {
        policy.position = known.policy.position
        policy.head = known.policy.head
      }
      kept = Kept(
        epoch: epoch, seen: head.state.position, lastChange: lastChange, policy: policy)
      return policy
    }
  }

  private func content(_ head: Head) -> Policy {
    let state = head.state
    // Nobody can ask for a team that has no key, nor for a model that no team may know of.
    let asking = Set(state.keys.values.map(\.team))
    let teams = state.teams.sorted.filter { asking.contains($0.id) }.map { team($0, state) }
    let known = Set(teams.flatMap { $0.grants.map(\.model) + $0.refusals.map(\.model) })
    var keys: [PolicyKey] = []
    // What ended before the last event did so for good, whether that is noted or not.
    let past = state.recordedAt
    for key in state.keys.values.sorted(by: { $0.id < $1.id }) where !key.hasEnded(by: past) {
      keys.append(
        PolicyKey(
          digest: key.secret, id: key.id.stream, team: key.team.stream, notAfter: key.until))
      if let previous = key.previous, let end = key.previousEnd(at: past) {
        keys.append(
          PolicyKey(
            digest: previous.secret, id: key.id.stream, team: key.team.stream, notAfter: end))
      }
    }
    // The leader that hands shares out has to know all that hold some: the log names them from then on.
    let isNamed = state.log.formatLevel >= FormatLevel.kept
    return Policy(
      position: state.position, head: head.witness, leaseSeconds: Leases.policySeconds,
      graceSeconds: isNamed ? state.graceSeconds : nil, sharesLimits: isNamed ? true : nil,
      keys: keys, teams: teams,
      models: state.models.sorted.filter { $0.retiredAt == nil && known.contains($0.id.stream) }
        .map { model($0, state) })
  }

  private func team(_ team: Team, _ state: HostingState) -> PolicyTeam {
    var grants: [PolicyGrant] = []
    var refusals: [PolicyRefusal] = []
    for model in state.models.sorted where model.retiredAt == nil {
      let ruling = ruling(model, for: team, state)
      switch ruling {
      case .granted(let grant): grants.append(grant)
      case .refused(let code, let message):
        refusals.append(PolicyRefusal(model: model.id.stream, code: code, message: message))
      case .unknown: break
      }
    }
    return PolicyTeam(
      id: team.id.stream, name: team.name, requestsPerMinute: team.quota.requestsPerMinute,
      tokensPerMinute: team.quota.tokensPerMinute, grants: grants, refusals: refusals)
  }

  private enum Ruling {
    case granted(PolicyGrant)
    case refused(code: String, message: String)
    /// The team may not know of it.
    case unknown
  }

  /// Dates are the gateway's to watch, so that a grant is told with them before they are there.
  private func ruling(_ model: Model, for team: Team, _ state: HostingState) -> Ruling {
    let access = state.access(of: team, to: model)
    if let grant = team.grants[model.id], let agreement = access.source?.agreement {
      switch access.ruling(at: state.recordedAt) {
      case .granted, .refused(.expired), .refused(.notBegun),
        .refused(.agreementEnded) where !agreement.ended:
        return .granted(
          PolicyGrant(
            model: model.id.stream, requestsPerMinute: grant.quota.requestsPerMinute,
            tokensPerMinute: grant.quota.tokensPerMinute,
            notAfter: [grant.until, agreement.end].compactMap { $0 }.min(),
            notBefore: agreement.from, agreementEnd: agreement.end))
      default: break
      }
    }
    return switch access.ruling(at: state.recordedAt) {
    case .refused(let bar): .refused(code: bar.code, message: access.message(bar))
    case .granted, .unknown: .unknown
    }
  }

  private func model(_ model: Model, _ state: HostingState) -> PolicyModel {
    var routes: [PolicyRoute] = []
    for deployment in state.deployments.sorted
    where deployment.model == model.id && deployment.workload == .inference {
      for replica in deployment.replicas.values.sorted(by: { $0.id < $1.id }) {
        guard let attempt = replica.attempt.flatMap({ state.attempts[$0] }),
          attempt.phase == .ready, attempt.isWanted, let endpoint = attempt.endpoint
        else { continue }
        routes.append(
          PolicyRoute(
            attempt: attempt.id, version: attempt.version.text, endpoint: endpoint,
            engineKey: assignments.engineKey(of: attempt.id), servedModelName: model.label,
            waits: model.version(attempt.version)?.launch.waits))
      }
    }
    let provider = state.providers[model.provider]?.label ?? ""
    return PolicyModel(
      id: model.id.stream, name: model.label, provider: provider, task: model.task.rawValue,
      contextLength: model.contextLength, onboardedAt: model.onboardedAt,
      versions: model.versions.map(\.label.text),
      aliases: Dictionary(
        uniqueKeysWithValues: model.aliases.map { ($0.key, $0.value.text) }), routes: routes)
  }
}
