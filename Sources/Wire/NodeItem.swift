// A node and its devices, each with the replica that it is charged to.

import HashTreeCollections
import Hosting

package struct NodeItem: NounItem {
  package static let kind = "node"
  package var id: String
  package var name: Name
  package var status: Node.Status
  package var cordoned: Bool
  /// Devices that vanished while they were in use; none when nothing is missing.
  package var missingDevices: [String]?
  package var address: String
  package var cpuMillis: Int
  package var freeCPUMillis: Int
  package var memory: Bytes
  package var freeMemory: Bytes
  package var devices: [DeviceItem]
  package var freeDevices: Int
  /// Attempts whose end is not proved: what they hold is charged.
  package var attempts: Int
  /// The position of the last event that changed what is to run here.
  package var generation: Position
  package var lostAt: Timestamp?
  /// Why its agent does not let itself be steered by this log; none when it does.
  package var alarm: Text?
  /// What else ails it; none when nothing does.
  package var troubles: [NodeTrouble]?

  package var label: String { name.text }

  package init(_ node: Node, _ view: Viewpoint) {
    let free = view.state.free(of: node)
    id = node.id.description
    name = node.name
    status = node.status
    cordoned = node.cordoned
    missingDevices = node.missing.isEmpty ? nil : node.missing
    address = node.facts.address
    cpuMillis = node.facts.cpuMillis
    freeCPUMillis = free.cpuMillis
    memory = node.facts.memory
    freeMemory = free.memory
    devices = node.facts.devices.map { DeviceItem($0, on: node, view) }
    freeDevices = view.state.freeDevices(of: node).count
    attempts = node.attempts.count
    generation = node.generation
    lostAt = node.lostAt
    alarm = node.alarm
    troubles = node.troubles.isEmpty ? nil : node.troubles
  }
}

package struct DeviceItem: Codable, Equatable, Sendable {
  package var id: String
  package var model: String
  package var memory: Bytes
  package var charged: Bool
  /// `grok-2`; none for what the reader may not know of.
  package var replica: String?
  package var attempt: AttemptID?

  fileprivate init(_ device: DeviceFacts, on node: Node, _ view: Viewpoint) {
    let holder = node.charges[device.id]
    let deployment = holder.flatMap { view.state.deployments[ID($0.replica.deployment)] }
    id = device.id
    model = device.model
    memory = device.memory
    charged = holder != nil
    replica = holder.flatMap { deployment?.replicaName($0.replica.number) }
    attempt = deployment == nil ? nil : holder
  }
}
