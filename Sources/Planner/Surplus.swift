// Which replicas go when fewer are wanted: first those without an attempt, then those that are not
// ready, then the newest. So as many ready ones stay as are wanted, if there are that many.

import HashTreeCollections
import Hosting

extension Pass {
  mutating func removeSurplus() {
    for id in state.unsettled.sorted() {
      guard let deployment = state.deployments[id], deployment.surplus > 0 else { continue }
      let going = deployment.replicas.values
        .map { (worth(of: $0), $0.id.number) }
        .sorted { ($0.0, $1.1) < ($1.0, $0.1) }
        .prefix(deployment.surplus)
        .map(\.1)
      decide(
        RemoveReplicas(
          deployment: id, replicas: going.sorted(), leaving: signals.enforced == nil ? nil : true))
    }
  }

  /// 0: has no attempt; 1: is not ready, or its node is lost; 2: ready.
  private func worth(of replica: Replica) -> Int {
    if replica.attempt == nil { return 0 }
    return state.isReady(replica) ? 2 : 1
  }
}
