// Dates that came. They bite where they are used, whether noted or not; here the fact is appended,
// once, and the next date is when the planner wants to be woken.

import HashTreeCollections
import Hosting

extension Pass {
  mutating func noteDates() {
    let due = state.endings.due(at: now)
    if let next = state.endings.next(after: now) { wake(at: next) }
    for case .agreement(let id) in due { decide(EndAgreement(agreement: id)) }
    for case .grant(let team, let model) in due { decide(ExpireGrant(team: team, model: model)) }
    // What an older wharfd could not read waits: the dates bite all the same.
    guard state.log.formatLevel >= FormatLevel.kept else { return }
    for case .secret(let secret) in due {
      if let command = state.command(noting: secret) { decide(command) }
    }
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
