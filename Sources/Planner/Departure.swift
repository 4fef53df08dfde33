// What was taken out of the routes, and runs until gateways have left it: an engine that is told to stop
// while a gateway still sends it requests would fail them. Each gateway's word is a signal; once all
// that may serve enforce a policy without the route and have answered what they sent it before, or were waited
// for long enough, the engine is told.

import HashTreeCollections
import Hosting

extension Pass {
  mutating func noteSilentGateways() {
    let silent = signals.silentGateways.filter { state.gatewayProcesses[$0] != nil }
    if !silent.isEmpty { decide(NoteSilentGateways(processes: silent)) }
  }

  mutating func dismissLeft() {
    var left: [ID<Deployment>: [AttemptID]] = [:]
    var overdue: [ID<Deployment>: [AttemptID]] = [:]
    for id in state.leaving.sorted() {
      guard let leaving = state.attempts[id]?.leaving else { continue }
      let deployment = ID<Deployment>(id.replica.deployment)
      let isServing = signals.serving.contains(id)
      let end = state.leavingEnd(of: id, since: leaving.since, isServing: isServing)
      if !isServing, signals.enforced.map({ $0 >= leaving.position }) ?? true {
        left[deployment, default: []].append(id)
      } else if end <= now || isBarred(deployment) {
        overdue[deployment, default: []].append(id)
      } else {
        wake(at: end)
      }
    }
    for deployment in left.keys.sorted() {
      decide(
        DismissAttempts(
          deployment: deployment, attempts: left[deployment] ?? [],
          enforced: signals.enforced ?? state.position))
    }
    for deployment in overdue.keys.sorted() {
      decide(
        DismissAttempts(
          deployment: deployment, attempts: overdue[deployment] ?? [], enforced: nil))
    }
  }

  /// What may not run any more is not waited for.
  private func isBarred(_ id: ID<Deployment>) -> Bool {
    state.deployments[id].map { state.obstacle(to: $0, now: now) != nil } ?? true
  }
}
