// Why may a team use a model, or why not: by the function that gateways refuse by, and with what would
// help, step by step. No step is named that was not tried.

import HashTreeCollections
import Hosting

/// Why a team may use a model, or not; none, if there is no such team or model.
package func explain(
  accessOf team: ID<Team>, to model: ID<Model>, _ state: HostingState, now: Timestamp
) -> Explanation? {
  guard let team = state.teams[team], let model = state.models[model] else { return nil }
  let now = max(now, state.recordedAt)
  let access = state.access(of: team, to: model)
  var found = Explanation(subject: "team \(team.name), model \(model.label)", verdict: "")
  switch access.ruling(at: now) {
  case .granted where model.retiredAt == nil:
    found.verdict =
      "it may use it" + (end(of: access, state).map { " until \($0.short) UTC" } ?? "")
  case .granted: found.verdict = "the model is retired: nothing of it is served"
  case .refused(let bar): found.verdict = access.message(bar)
  case .unknown:
    found.verdict =
      "for it there is no such model: it is not published to \(team.audience.rawValue) teams"
  }
  found.facts = facts(team, model, access, state, now)
  found.remedies = AccessRemedies(state: state, now: now, team: team, model: model).steps
  return found
}

private func end(of access: Access, _ state: HostingState) -> Timestamp? {
  [access.given?.until, access.source?.agreement?.end].compactMap { $0 }.min()
}

private func facts(
  _ team: Team, _ model: Model, _ access: Access, _ state: HostingState, _ now: Timestamp
) -> [String] {
  var facts: [String] = []
  if let grant = team.grants[model.id] {
    facts.append(
      "granted at position \(grant.position), on \(grant.grantedAt.short), for "
        + grant.workload.rawValue + (grant.until.map { ", until \($0.short) UTC" } ?? ""))
  } else if let ended = team.endedGrants[model.id] {
    facts.append(
      "its grant \(ended.cause == .revoked ? "was revoked" : "ran out") on \(ended.at.short)")
  } else {
    facts.append("it was never granted")
  }
  let stage = model.published[team.audience]?.rawValue
  facts.append(
    stage.map { "the model is published to \(team.audience.rawValue) teams (\($0))" }
      ?? "the model is not published to \(team.audience.rawValue) teams")
  if let provider = state.providers[model.provider] {
    if let since = provider.suspendedAt {
      facts.append("provider \(provider.label) is suspended since \(since.short)")
    }
    if let agreement = state.agreement(of: provider) {
      let scope = agreement.terms.scope.map(\.rawValue).joined(separator: ", ")
      let audiences = agreement.terms.audiences.map(\.rawValue).joined(separator: ", ")
      facts.append(
        "the agreement with \(provider.label) is \(agreement.status(now: now)): \(scope), for "
          + "\(audiences) teams" + (agreement.end.map { ", until \($0.short) UTC" } ?? ""))
    } else {
      facts.append("no agreement with \(provider.label) was signed")
    }
  }
  return facts
}

/// What would have to be done, one thing after another, until the team may use the model.
private struct AccessRemedies {
  private static let mostSteps = 5

  let state: HostingState
  let now: Timestamp
  let team: Team
  let model: Model

  private struct Step {
    let text: String
    /// None, where only time helps.
    var command: (any Command)?
  }

  var steps: [String] {
    guard model.retiredAt == nil else { return [] }
    // As if somebody had sent it who may.
    let admin = Principal(actor: .wharfd, role: .admin)
    var trial = Trial(after: state)
    var steps: [String] = []
    for _ in 0..<Self.mostSteps {
      let state = trial.state
      guard let team = state.teams[team.id], let model = state.models[model.id],
        let step = step(towards: state.access(of: team, to: model), state)
      else { break }
      guard let command = step.command else { return steps + [step.text] }
      guard (try? trial.perform(command, by: admin, now: now)) != nil else { break }
      steps.append(step.text)
    }
    return steps
  }

  private func step(towards access: Access, _ state: HostingState) -> Step? {
    guard let provider = state.providers[model.provider],
      let reference = try? ModelReference(jsonText: model.label)
    else { return nil }
    let workload = access.given?.workload ?? .inference
    // What is in the way of any grant comes first: none would be accepted before.
    if provider.suspendedAt != nil {
      return Step(
        text: "wharf provider reinstate \(provider.name)",
        command: ReinstateProvider(provider: provider.name))
    }
    if let step = agreement(with: provider, workload, state) { return step }
    if access.given == nil || access.ruling(at: now) != .granted {
      if !access.published.contains(team.audience) {
        return Step(
          text: "wharf model publish \(model.label) --audience \(team.audience.rawValue) "
            + "--stage general",
          command: PublishModel(model: reference, audience: team.audience, stage: .general))
      }
      return Step(
        text: "wharf team grant \(team.name) \(model.label)",
        command: GrantAccess(team: team.name, model: reference))
    }
    return nil
  }

  private func agreement(
    with provider: Provider, _ workload: Workload, _ state: HostingState
  ) -> Step? {
    guard let agreement = state.agreement(of: provider), agreement.status(now: now) != "ended"
    else {
      let terms = Terms(
        scope: [workload], audiences: [team.audience], from: now, until: nil, noticeDays: 0)
      return Step(
        text: "wharf agreement sign \(provider.name) --scope \(workload.rawValue) --audience "
          + "\(team.audience.rawValue) …",
        command: SignAgreement(provider: provider.name, terms: terms))
    }
    let terms = agreement.terms
    let scope = Set(terms.scope).union([workload]).sorted()
    let audiences = Set(terms.audiences).union([team.audience]).sorted()
    if scope.count > terms.scope.count || audiences.count > terms.audiences.count {
      return Step(
        text: "wharf agreement amend \(provider.name)"
          + (scope.count > terms.scope.count
            ? " --scope \(scope.map(\.rawValue).joined(separator: ","))" : "")
          + (audiences.count > terms.audiences.count
            ? " --audience \(audiences.map(\.rawValue).joined(separator: ","))" : ""),
        command: AmendAgreement(
          provider: provider.name, scope: scope, audiences: audiences, until: nil, noticeDays: nil))
    }
    if terms.from > now {
      return Step(text: "wait until the agreement is in force, from \(terms.from.short) UTC")
    }
    return nil
  }
}
