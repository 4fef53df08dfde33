// views.deployments and views.replicas

import HashTreeCollections
import Hosting

/// How far a deployment's replicas are, counted as they change: a deployment may have 100,000.
package struct Tally: Equatable, Sendable {
  var placed = 0
  var ready = 0

  /// What one replica adds.
  init(of replica: ReplicaID, in state: HostingState) {
    guard let replica = state.deployments[replica.deploymentID]?.replicas[replica.number],
      replica.attempt != nil
    else { return }
    placed = 1
    ready = state.isReady(replica) ? 1 : 0
  }

  init() {}

  static func += (a: inout Tally, b: Tally) {
    a.placed += b.placed
    a.ready += b.ready
  }

  static func -= (a: inout Tally, b: Tally) {
    a.placed -= b.placed
    a.ready -= b.ready
  }
}

extension ReplicaID {
  var deploymentID: ID<Deployment> { ID(deployment) }
}

enum DeploymentRows {
  struct Counted {
    let it: Deployment
    let tally: Tally
    let state: HostingState
  }

  static let deployments = RowMaker<Counted>(
    "deployments",
    [
      .text("id") { $0.it.id.description },
      .text("name") { $0.it.name.text },
      .text("model_id") { $0.it.model.description },
      .text("model") { $0.state.called($0.it.model) },
      .text("version") { $0.it.version.text },
      .text("workload") { $0.it.workload.rawValue },
      .count("wanted") { $0.it.wanted },
      .count("replicas") { $0.it.replicas.count },
      .count("placed") { $0.tally.placed },
      .count("ready") { $0.tally.ready },
      .flag("exclusive") { $0.it.exclusive },
      .time("created_at") { $0.it.createdAt },
      .time("deleted_at") { $0.it.deletedAt },
    ])

  static func add(
    _ id: ID<Deployment>, _ tally: Tally, of state: HostingState, to rows: inout RowSet
  ) {
    if let deployment = state.deployments[id] {
      rows.add(deployments, Counted(it: deployment, tally: tally, state: state))
    }
  }
}

enum ReplicaRows {
  struct Placed {
    let it: Replica
    let deployment: Deployment
    let attempt: Attempt?
    let nodeName: String?
    /// What was heard of it last says nothing of now.
    let isOnLostNode: Bool
  }

  static let replicas = RowMaker<Placed>(
    "replicas",
    [
      .text("id") { $0.it.id.description },
      .text("name") { $0.deployment.replicaName($0.it.id.number) },
      .text("deployment_id") { $0.deployment.id.description },
      .text("deployment") { $0.deployment.name.text },
      .count("number") { $0.it.id.number },
      .time("made_at") { $0.it.madeAt },
      .text("attempt") { $0.it.attempt?.description },
      .text("phase") { $0.isOnLostNode ? "unknown" : $0.attempt?.phase.rawValue },
      .text("node_id") { $0.attempt?.node.description },
      .text("node") { $0.nodeName },
      .texts("devices") { $0.attempt?.devices },
      .text("endpoint") { $0.attempt?.endpoint },
      .text("version") { $0.attempt?.version.text },
      .time("placed_at") { $0.attempt?.placedAt },
      .time("ready_at") { $0.attempt?.readyAt },
      .text("waiting_reason") { $0.it.attempt == nil ? $0.it.waiting?.rawValue : nil },
      .time("waiting_since") { $0.it.attempt == nil ? $0.it.waitingSince : nil },
      .count("failures") { $0.it.failures },
      .text("last_failure") { $0.it.lastFailure },
      .time("last_failed_at") { $0.it.lastFailedAt },
      .time("retry_at") { $0.it.retryAt },
    ])

  static func add(_ id: ReplicaID, of state: HostingState, to rows: inout RowSet) {
    guard let deployment = state.deployments[id.deploymentID],
      let replica = deployment.replicas[id.number]
    else { return }
    let attempt = replica.attempt.flatMap { state.attempts[$0] }
    rows.add(
      replicas,
      Placed(
        it: replica, deployment: deployment, attempt: attempt,
        nodeName: attempt.map { state.called($0.node) },
        isOnLostNode: attempt.map { state.lostNodes.contains($0.node) } ?? false))
  }
}
