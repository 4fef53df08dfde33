// views.nodes, views.devices and views.attempts

import HashTreeCollections
import Hosting

enum NodeRows {
  static let nodes = RowMaker<Node>(
    "nodes",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.text },
      .text("status") { $0.status.rawValue },
      .flag("cordoned") { $0.cordoned },
      .text("address") { $0.facts.address },
      .count("devices") { $0.facts.devices.count },
      .count("devices_charged") { $0.charges.count },
      .count("cpu_millis") { $0.facts.cpuMillis },
      .integer("memory_bytes") { $0.facts.memory.count },
      .count("attempts") { $0.attempts.count },
      .time("lost_at") { $0.lostAt },
      .text("boot_id") { $0.bootID },
      .text("agent") { $0.incarnation },
      .integer("generation") { $0.generation.value },
    ])

  struct Device {
    let node: Node
    let id: String
    /// None: charged, but the node no longer has it.
    let facts: DeviceFacts?
    let charge: AttemptID?
    let names: AttemptNames?
  }

  static let devices = RowMaker<Device>(
    "devices", keyCount: 2,
    [
      .text("node_id") { $0.node.id.description },
      .text("device") { $0.id },
      .text("node") { $0.node.name.text },
      .flag("present") { $0.facts != nil },
      .text("model") { $0.facts?.model },
      .integer("memory_bytes") { $0.facts?.memory.count },
      .text("attempt") { $0.charge?.description },
      .text("deployment_id") { $0.charge?.replica.deploymentID.description },
      .text("deployment") { $0.names?.deployment },
      .text("replica") { $0.names?.replica },
    ])

  /// How people call what an attempt belongs to.
  struct AttemptNames {
    let deployment: String
    let replica: String

    init(_ id: AttemptID, in state: HostingState) {
      let found = state.deployments[id.replica.deploymentID]
      deployment = found?.name.text ?? id.replica.deploymentID.description
      replica = found?.replicaName(id.replica.number) ?? id.replica.description
    }
  }

  struct Charged {
    let it: Attempt
    let node: Node
    let names: AttemptNames
  }

  static let attempts = RowMaker<Charged>(
    "attempts",
    [
      .text("id") { $0.it.id.description },
      .text("replica_id") { $0.it.id.replica.description },
      .text("replica") { $0.names.replica },
      .text("deployment_id") { $0.it.id.replica.deploymentID.description },
      .text("deployment") { $0.names.deployment },
      .text("node_id") { $0.node.id.description },
      .text("node") { $0.node.name.text },
      .text("version") { $0.it.version.text },
      .texts("devices") { $0.it.devices },
      .text("phase") { $0.it.phase.rawValue },
      .text("reason") { $0.it.told },
      .flag("stopping") { !$0.it.isWanted },
      .text("stop_reason") { $0.it.stopReason },
      .text("endpoint") { $0.it.endpoint },
      .count("pid") { $0.it.pid },
      .time("placed_at") { $0.it.placedAt },
      .time("ready_at") { $0.it.readyAt },
    ])

  static func add(_ id: ID<Node>, of state: HostingState, to rows: inout RowSet) {
    guard let node = state.nodes[id] else { return }
    rows.add(nodes, node)
    var unseen = node.charges
    for device in node.facts.devices {
      let charge = unseen.removeValue(forKey: device.id)
      rows.add(devices, Device(node: node, id: device.id, facts: device, charge: charge, state))
    }
    for (device, charge) in unseen {
      rows.add(devices, Device(node: node, id: device, facts: nil, charge: charge, state))
    }
    for attempt in node.attempts {
      guard let attempt = state.attempts[attempt] else { continue }
      rows.add(
        attempts,
        Charged(it: attempt, node: node, names: AttemptNames(attempt.id, in: state)))
    }
  }
}

extension NodeRows.Device {
  fileprivate init(
    node: Node, id: String, facts: DeviceFacts?, charge: AttemptID?, _ state: HostingState
  ) {
    self.init(
      node: node, id: id, facts: facts, charge: charge,
      names: charge.map { NodeRows.AttemptNames($0, in: state) })
  }
}
