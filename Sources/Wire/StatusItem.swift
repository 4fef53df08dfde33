// `GET /v1/status`: the system on one screen, from one state.

import HashTreeCollections
import Hosting

package struct StatusItem: Codable, Equatable, Sendable, JSONWritable {
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
  /// How far the log's time is ahead of the database's clock; none, where that is nothing to tell of.
  package var aheadSeconds: Int?
  package var you: String
  package var role: Role
  package var recordedAt: Timestamp
  package var counts: Counts
  package var deployments: [DeploymentLine]
  package var nodes: [NodeLine]
  /// What is to stop and holds devices until its end is proved; what the reader may know of.
  package var stopping: [StoppingItem]?
  /// Processes that may serve, and gateways that have none; those with a problem come first.
  package var gateways: [GatewayLine]?

  package struct BehindLine: Codable, Equatable, Sendable, JSONWritable {
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

  package struct Counts: Codable, Equatable, Sendable, JSONWritable {
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

  package struct DeploymentLine: Codable, Equatable, Sendable, JSONWritable {
    package var name: Name
    package var model: String
    package var ready: Int
    package var wanted: Int
    /// What waits, and why: the most frequent reason first.
    package var waiting: [Waiting]
    /// What has an attempt that is not ready, by what it does: the most frequent first.
    package var underway: [Underway]?
  }

  package struct Underway: Codable, Equatable, Sendable, JSONWritable {
    /// As `ReplicaItem.phase`.
    package var phase: String
    package var replicas: Int
    /// Of the one that is in it for the longest, and what there is to say of that.
    package var since: Timestamp
    package var replica: String
    package var node: String?
    package var reason: String?
  }

  package struct GatewayLine: Codable, Equatable, Sendable, JSONWritable {
    package var name: Name
    package var address: String?
    package var state: GatewayState
  }

  package struct Waiting: Codable, Equatable, Sendable, JSONWritable {
    package var reason: WaitingReason
    package var replicas: Int
  }

  package struct NodeLine: Codable, Equatable, Sendable, JSONWritable {
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
    /// Devices that vanished while they were in use; none when nothing is missing.
    package var missing: [String]?
    /// Taken by what is to stop; none when nothing is.
    package var stoppingDevices: Int?
  }

  package init(
    _ view: Viewpoint, hash: Digest?, behind: [BehindLine]?, aheadSeconds: Int? = nil,
    standing: String, you: String, role: Role
  ) {
    let state = view.state
    era = state.log.era?.position ?? .empty
    self.hash = hash
    self.behind = behind
    self.aheadSeconds = aheadSeconds
    self.standing = standing
    leader = state.log.leader?.address
    self.you = you
    self.role = role
    recordedAt = state.recordedAt
    counts = Counts(
      providers: state.providers.count, models: state.models.count, teams: state.teams.count,
      keys: state.keys.count, persons: state.persons.count, deployments: state.deployments.count,
      replicas: state.deployments.summary.replicas, ready: state.deployments.summary.ready,
      nodes: state.nodes.count, devices: state.nodes.summary.devices,
      freeDevices: state.nodes.summary.freeDevices, gateways: state.gateways.count,
      gatewayProcesses: state.gatewayProcesses.count)
    graceSeconds = state.graceSeconds
    deployments = Self.first(of: state.deployments, state.deployments.summary.incomplete)
      .map { DeploymentLine($0, view) }
    let silent = view.heard?.silent.filter { id in
      state.nodes[id].map { view.heard?.silentSeconds($0) != nil } ?? false
    }
    nodes = Self.first(of: state.nodes, state.nodes.summary.ailing.union(silent ?? []))
      .map { NodeLine($0, view) }
    let stopping = state.departing.sorted().lazy.compactMap { id -> StoppingItem? in
      guard let attempt = state.attempts[id],
        let deployment = state.deployments[ID(id.replica.deployment)]
      else { return nil }
      return StoppingItem(attempt, of: deployment, view)
    }.prefix(Self.rowsLimit)
    self.stopping = stopping.isEmpty ? nil : Array(stopping)
    let gateways = Self.gateways(view)
    self.gateways = gateways.isEmpty ? nil : Self.first(gateways) { !$0.state.isWell }
  }

  private static func gateways(_ view: Viewpoint) -> [GatewayLine] {
    let state = view.state
    let named = Set(state.gatewayProcesses.values.map(\.gateway))
    let processes = state.gatewayProcesses.values
      .sorted { ($0.name.key, $0.id) < ($1.name.key, $1.id) }
      .map { GatewayLine(name: $0.name, address: $0.address, state: GatewayState($0, view)) }
    return processes
      + state.gateways.sorted.filter { !named.contains($0.id) }
      .map { GatewayLine(name: $0.name, address: nil, state: .absent($0, view)) }
  }

  /// By name; where not all are shown, those that something is the matter with come first.
  private static func first<Element>(
    of catalog: Catalog<Element>, _ troubled: TreeSet<ID<Element>>
  ) -> [Element] {
    if catalog.count <= rowsLimit { return catalog.sorted }
    var first = FirstThings<String, Element>(limit: rowsLimit)
    for element in troubled.lazy.compactMap({ catalog[$0] }) { first.add(element.nameKey, element) }
    let shown = first.sorted().things
    let others = catalog.inOrder().lazy.filter { !troubled.contains($0.id) }
    return shown + others.prefix(rowsLimit - shown.count)
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
    ready = deployment.ready
    wanted = deployment.wanted
    var reasons: [WaitingReason: Int] = [:]
    var underway: [String: StatusItem.Underway] = [:]
    let others =
      ready == deployment.replicas.count
      ? [] : deployment.replicas.values.filter { !view.state.isReady($0) }
    for replica in others.sorted(by: { $0.id < $1.id }) {
      guard let attempt = replica.attempt.flatMap({ view.state.attempts[$0] }) else {
        reasons[replica.waiting ?? .new, default: 0] += 1
        continue
      }
      if view.state.lostNodes.contains(attempt.node) {
        reasons[.nodeLost, default: 0] += 1
        continue
      }
      let words = PhaseWords(attempt, of: deployment, view)
      let count = (underway[words.phase]?.replicas ?? 0) + 1
      let longest = underway[words.phase].map { $0.since <= words.since } ?? false
      if !longest {
        underway[words.phase] = StatusItem.Underway(
          phase: words.phase, replicas: count, since: words.since,
          replica: deployment.replicaName(replica.id.number),
          node: view.state.nodes[attempt.node]?.label, reason: words.reason)
      }
      underway[words.phase]?.replicas = count
    }
    waiting = reasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      .map { StatusItem.Waiting(reason: $0.key, replicas: $0.value) }
    self.underway =
      underway.isEmpty
      ? nil : underway.values.sorted { ($1.replicas, $0.phase) < ($0.replicas, $1.phase) }
  }
}

extension StatusItem.NodeLine {
  fileprivate init(_ node: Node, _ view: Viewpoint) {
    name = node.name
    status = node.status
    cordoned = node.cordoned
    alarm = node.alarm
    troubles = node.troubles.isEmpty ? nil : node.troubles
    silentSeconds = view.heard?.silentSeconds(node)
    devices = node.facts.devices.count
    freeDevices = view.state.freeDevices(of: node).count
    missing = node.missing.isEmpty ? nil : node.missing
    let stopping = view.state.departing(on: node)
      .filter { view.state.deployments[ID($0.id.replica.deployment)] != nil }
      .reduce(0) { $0 + $1.devices.count }
    stoppingDevices = stopping > 0 ? stopping : nil
  }
}
