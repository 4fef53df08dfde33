// `GET /v1/status`: the system on one screen, from one state.

import HashTreeCollections
import Hosting

package struct StatusItem: Codable, Equatable, Sendable {
  /// At most this many deployments and nodes are told one by one; those with a problem come first.
  package static let rowsLimit = 50

  package var era: Position
  /// At the head; none for a state of the past.
  package var hash: Digest?
  /// Of the wharfd that answers: `leading`, `following`.
  package var standing: String
  package var leader: String?
  /// What reads the log in the wharfd that answers, and is behind; none for a state of the past.
  package var behind: [BehindLine]?
  package var you: String
  package var role: Role
  package var recordedAt: Timestamp
  package var counts: Counts
  package var deployments: [DeploymentLine]
  package var nodes: [NodeLine]

  package struct BehindLine: Codable, Equatable, Sendable {
    /// `state`, `views`, `announcer`, `event stream of person/3`.
    package var reader: String
    package var position: Position
    package var head: Position
    /// Since when the log holds what it has not read.
    package var since: Timestamp

    package init(reader: String, position: Position, head: Position, since: Timestamp) {
      self.reader = reader
      self.position = position
      self.head = head
      self.since = since
    }
  }

  package struct Counts: Codable, Equatable, Sendable {
    package var providers: Int
    package var models: Int
    package var teams: Int
    package var keys: Int
    package var persons: Int
    package var deployments: Int
    package var replicas: Int
    package var ready: Int
    package var nodes: Int
    package var devices: Int
    package var freeDevices: Int
    package var gateways: Int
    /// Processes of gateways that may serve, also of those that were removed.
    package var gatewayProcesses: Int
  }

  /// How long gateways serve on after their leases, while no leader answers.
  package var graceSeconds: Int

  package struct DeploymentLine: Codable, Equatable, Sendable {
    package var name: Name
    package var model: String
    package var ready: Int
    package var wanted: Int
    /// What waits, and why: the most frequent reason first.
    package var waiting: [Waiting]
  }

  package struct Waiting: Codable, Equatable, Sendable {
    package var reason: WaitingReason
    package var replicas: Int
  }

  package struct NodeLine: Codable, Equatable, Sendable {
    package var name: Name
    package var status: Node.Status
    package var cordoned: Bool
    package var alarm: Text?
    /// What else ails it; none when nothing does.
    package var troubles: [NodeTrouble]?
    /// It counts as active, and its agent was not heard for so long that something is wrong with it or
    /// with the way to it.
    package var silentSeconds: Int?
    package var devices: Int
    package var freeDevices: Int
  }

  /// - Parameter silence: of a node whose agent should have been heard.
  package init(
    _ view: Viewpoint, hash: Digest?, behind: [BehindLine]?, standing: String, you: String,
    role: Role, silence: (Node) -> Int?
  ) {
    let state = view.state
    era = state.log.era?.position ?? .empty
    self.hash = hash
    self.behind = behind
    self.standing = standing
    leader = state.log.leader?.address
    self.you = you
    self.role = role
    recordedAt = state.recordedAt
    let deployments = state.deployments.sorted.map { DeploymentLine($0, view) }
    let nodes = state.nodes.sorted.map { NodeLine($0, state, silence($0)) }
    counts = Counts(
      providers: state.providers.count, models: state.models.count, teams: state.teams.count,
      keys: state.keys.count, persons: state.persons.count, deployments: deployments.count,
      replicas: state.deployments.byID.values.reduce(0) { $0 + $1.replicas.count },
      ready: deployments.reduce(0) { $0 + $1.ready }, nodes: nodes.count,
      devices: nodes.reduce(0) { $0 + $1.devices },
      freeDevices: nodes.reduce(0) { $0 + $1.freeDevices }, gateways: state.gateways.count,
      gatewayProcesses: state.gatewayProcesses.count)
    graceSeconds = state.graceSeconds
    self.deployments = Self.first(deployments) { $0.ready < $0.wanted }
    self.nodes = Self.first(nodes) {
      $0.status != .active || $0.cordoned || $0.alarm != nil || $0.troubles != nil
        || $0.silentSeconds != nil
    }
  }

  private static func first<Line>(_ lines: [Line], _ isTroubled: (Line) -> Bool) -> [Line] {
    lines.count <= rowsLimit
      ? lines
      : Array((lines.filter(isTroubled) + lines.filter { !isTroubled($0) }).prefix(rowsLimit))
  }
}

extension StatusItem.DeploymentLine {
  fileprivate init(_ deployment: Deployment, _ view: Viewpoint) {
    name = deployment.name
    model = "\(view.modelName(deployment.model)):\(deployment.version)"
    ready = view.state.readyReplicas(of: deployment)
    wanted = deployment.wanted
    var reasons: [WaitingReason: Int] = [:]
    for replica in deployment.replicas.values {
      if replica.attempt == nil {
        reasons[replica.waiting ?? .new, default: 0] += 1
      } else if replica.node.map(view.state.lostNodes.contains) == true {
        reasons[.nodeLost, default: 0] += 1
      }
    }
    waiting = reasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      .map { StatusItem.Waiting(reason: $0.key, replicas: $0.value) }
  }
}

extension StatusItem.NodeLine {
  fileprivate init(_ node: Node, _ state: HostingState, _ silentSeconds: Int?) {
    name = node.name
    status = node.status
    cordoned = node.cordoned
    alarm = node.alarm
    troubles = node.troubles.isEmpty ? nil : node.troubles
    self.silentSeconds = silentSeconds
    devices = node.facts.devices.count
    freeDevices = state.freeDevices(of: node).count
  }
}
