// A deployment with its replicas, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct DeploymentItem: NounItem {
  package static let kind = "deployment"
  package var id: String
  package var name: Name
  package var model: String
  package var version: Name
  package var workload: Workload
  package var wanted: Int
  package var ready: Int
  package var exclusive: Bool
  package var replicas: [ReplicaItem]
  /// Attempts that are to stop and whose end is not proved yet: their devices are still taken.
  package var stopping: [StoppingItem]
  package var createdAt: Timestamp
  /// Deleted, and gone once the last attempt has ended.
  package var deletedAt: Timestamp?

  package var label: String { name.text }

  /// `stopping` are the attempts of this deployment that are to stop.
  package init(_ deployment: Deployment, stopping attempts: [Attempt], _ view: Viewpoint) {
    id = deployment.id.description
    name = deployment.name
    model = view.modelName(deployment.model)
    version = deployment.version
    workload = deployment.workload
    wanted = deployment.wanted
    ready = deployment.ready
    exclusive = deployment.exclusive
    let older = Dictionary(grouping: attempts, by: \.id.replica)
    replicas = deployment.replicas.values.sorted { $0.id < $1.id }
      .map { ReplicaItem($0, of: deployment, stopping: older[$0.id] ?? [], view) }
    stopping = attempts.sorted { $0.id < $1.id }.map { StoppingItem($0, of: deployment, view) }
    createdAt = deployment.createdAt
    deletedAt = deployment.deletedAt
  }
}

package struct StoppingItem: Codable, Equatable, Sendable, JSONWritable {
  package var attempt: AttemptID
  package var replica: String
  package var node: String
  package var phase: AttemptPhase
  package var reason: String?
  /// Taken until its end is proved.
  package var devices: [String]?
  /// What that waits for, and until when at the latest.
  package var waits: String?

  package init(_ attempt: Attempt, of deployment: Deployment, _ view: Viewpoint) {
    self.attempt = attempt.id
    replica = deployment.replicaName(attempt.id.replica.number)
    node = view.state.nodes[attempt.node]?.label ?? attempt.node.description
    phase = attempt.phase
    reason = attempt.stopReason ?? attempt.leaving?.reason
    devices = attempt.devices
    waits = view.state.departure(of: attempt, view.heard?.gateways)?.words
  }
}
