// Dates that came. They bite where they are used, whether noted or not; here the fact is appended,
// once, and the next date is when the planner wants to be woken.

import HashTreeCollections
import Hosting

extension Pass {
  mutating func noteDates() {
    endAgreements()
    expireGrants()
    noteEndings()
  }

  /// Notes the ends of keys, tokens and join tokens.
  private mutating func noteEndings() {
    // What an older wharfd could not read waits: the dates bite all the same.
    guard state.log.formatLevel >= FormatLevel.kept else { return }
    let due = state.dueEndings(at: now)
    for command in due.commands { decide(command) }
    if let next = due.next { wake(at: next) }
  }

  private mutating func endAgreements() {
    var due: [ID<Agreement>] = []
    for agreement in state.agreements.values where !agreement.ended {
      wake(at: agreement.terms.from)
      guard let end = agreement.end else { continue }
      if end <= now { due.append(agreement.id) } else { wake(at: end) }
    }
    for id in due.sorted() { decide(EndAgreement(agreement: id)) }
  }

  private mutating func expireGrants() {
    var due: [(team: ID<Team>, model: ID<Model>)] = []
    for team in state.teams.byID.values {
      for grant in team.grants.values {
        guard let until = grant.until else { continue }
        if until <= now { due.append((team.id, grant.model)) } else { wake(at: until) }
      }
    }
    for grant in due.sorted(by: <) { decide(ExpireGrant(team: grant.team, model: grant.model)) }
  }

  /// Stops what may run no longer, and says why it waits.
  mutating func stopWhatMayNotRun() {
    for line in state.deploymentsIn.keys.sorted() {
      guard let reason = state.obstacle(to: line, now: now) else { continue }
      for id in (state.deploymentsIn[line] ?? []).sorted() {
        guard let deployment = state.deployments[id] else { continue }
        if deployment.replicas.count > deployment.unplaced.count {
          decide(StopAttempts(deployment: id))
        }
        note(deployment.unplaced.sorted(), of: id, reason)
      }
    }
  }

  /// Notes a reason where it is not the noted one.
  mutating func note(_ replicas: [Int], of id: ID<Deployment>, _ reason: WaitingReason) {
    guard let deployment = state.deployments[id] else { return }
    let changed = replicas.filter { deployment.replicas[$0]?.waiting != reason }
    if !changed.isEmpty {
      decide(NoteWaiting(deployment: id, replicas: changed, reason: reason))
    }
  }
}
