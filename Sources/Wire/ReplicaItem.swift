// A replica: where it runs, or why it does not.

import HashTreeCollections
import Hosting

package struct ReplicaItem: NounItem {
  package static let kind = "replica"
  /// `31.2`
  package var id: String
  /// `grok-2`
  package var name: String
  package var deployment: Name
  /// Of its attempt; `waiting` while it has none.
  package var phase: String
  package var node: String?
  package var devices: [String]
  package var attempt: AttemptID?
  package var endpoint: String?
  /// What its agent says of the phase, where that is not plain.
  package var reason: String?
  package var waiting: WaitingReason?
  package var waitingSince: Timestamp?
  /// Attempts in a row that ended by themselves.
  package var failures: Int
  package var lastFailure: String?
  /// Where the engine's own last words are: a file on a node.
  package var lastLog: String?
  package var placedAt: Timestamp?
  package var readyAt: Timestamp?

  package var label: String { name }

  package init(_ replica: Replica, of deployment: Deployment, _ view: Viewpoint) {
    let attempt = replica.attempt.flatMap { view.state.attempts[$0] }
    id = replica.id.description
    name = deployment.replicaName(replica.id.number)
    self.deployment = deployment.name
    phase = Self.phase(attempt, view.state)
    node = attempt.map { view.state.nodes[$0.node]?.label ?? $0.node.description }
    devices = attempt?.devices ?? []
    self.attempt = attempt?.id
    endpoint = attempt?.endpoint
    reason = attempt?.told
    let lostAt = attempt.flatMap { view.state.nodes[$0.node] }.flatMap {
      $0.status == .lost ? $0.lostAt : nil
    }
    waiting = attempt == nil ? replica.waiting : lostAt.map { _ in .nodeLost }
    waitingSince = attempt == nil ? replica.waitingSince : lostAt
    failures = replica.failures
    lastFailure = replica.lastFailure
    lastLog = replica.lastLog(view.state)
    placedAt = attempt?.placedAt
    readyAt = attempt?.readyAt
  }

  /// What was heard last of a node that is lost says nothing of now.
  private static func phase(_ attempt: Attempt?, _ state: HostingState) -> String {
    guard let attempt else { return "waiting" }
    return state.nodes[attempt.node]?.status == .lost ? "unknown" : attempt.phase.rawValue
  }
}
