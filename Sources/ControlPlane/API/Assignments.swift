// From the state to what a node is told to run. Pure: the same state gives the same assignment.

import EventLog
import HashTreeCollections
import Hosting
import Planner
import Wire

struct Assignments: Sendable {
  let secret: ClusterSecret
  let limits: SilenceLimits

  /// What a node is to run now, at its own generation.
  func assignment(of node: Node, in head: Head) -> Assignment {
    let state = head.state
    return Assignment(
      generation: node.generation, head: head.witness, node: node.id.stream,
      // No lease comes with it, which the leader that counts silence would not know of: a follower may
      // give this answer. Reports and heartbeats bring it, which only a leader hears.
      leaseSeconds: 0, heartbeatSeconds: limits.heartbeatSeconds,
      attempts: state.wantedAttempts(on: node).compactMap { assigned($0, in: state) },
      acceptedEra: node.acceptedEra)
  }

  /// The key that an attempt's engine must be asked with: known to its agent and to gateways only.
  func engineKey(of attempt: AttemptID) -> EngineKey {
    EngineKey(
      secret: secret.seal("engine key", Array(attempt.description.utf8)).description)
  }

  private func assigned(_ attempt: Attempt, in state: HostingState) -> AssignedAttempt? {
    guard let deployment = state.deployments[ID(attempt.id.replica.deployment)],
      let model = state.models[deployment.model], let version = model.version(attempt.version)
    else { return nil }
    let agreement = state.providers[model.provider].flatMap { state.agreement(of: $0) }
    var launch = version.launch
    if deployment.exclusive {
      // It must have ended before its replacement may start, and begins to stop when the lease ends.
      launch.stopGraceSeconds = min(
        launch.stopGraceSeconds, max(0, Int(limits.exclusiveStopSeconds) - 1))
    }
    return AssignedAttempt(
      id: attempt.id, replicaName: deployment.replicaName(attempt.id.replica.number),
      servedModelName: model.label, launch: launch, devices: attempt.devices,
      deviceMemoryBytes: version.needs.deviceMemory.count, contextLength: model.contextLength,
      modelPath: version.modelPath, weights: version.weights, engineKey: engineKey(of: attempt.id),
      exclusive: deployment.exclusive, notAfter: agreement?.end)
  }
}
