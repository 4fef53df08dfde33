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
  /// Taken by what is to stop, and free once that has ended; none when nothing is.
  package var stoppingDevices: Int?
  /// Attempts whose end is not proved: what they hold is charged.
  package var attempts: Int
  /// The position of the last event that changed what is to run here.
  package var generation: Position
  package var lostAt: Timestamp?
  /// Why its agent does not let itself be steered by this log; none when it does.
  package var alarm: Text?
  /// What else ails it; none when nothing does.
  package var troubles: [NodeTrouble]?
  /// It counts as active, and its agent was not heard for so long that something is wrong with it or
  /// with the way to it.
  package var silentSeconds: Int?

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
    let stopping = devices.count { $0.stopping != nil }
    stoppingDevices = stopping > 0 ? stopping : nil
    attempts = node.attempts.count
    generation = node.generation
    lostAt = node.lostAt
    alarm = node.alarm
    troubles = node.troubles.isEmpty ? nil : node.troubles
    silentSeconds = view.heard?.silentSeconds(node)
  }
}

package struct DeviceItem: Codable, Equatable, Sendable, JSONWritable {
  package var id: String
  package var model: String
  package var memory: Bytes
  package var charged: Bool
  /// `grok-2`; none for what the reader may not know of.
  package var replica: String?
  package var attempt: AttemptID?
  /// What its end waits for, where that is to stop.
  package var stopping: String?

  fileprivate init(_ device: DeviceFacts, on node: Node, _ view: Viewpoint) {
    let holder = node.charges[device.id]
    let deployment = holder.flatMap { view.state.deployments[ID($0.replica.deployment)] }
    id = device.id
    model = device.model
    memory = device.memory
    charged = holder != nil
    replica = holder.flatMap { deployment?.replicaName($0.replica.number) }
    attempt = deployment == nil ? nil : holder
    stopping = attempt.flatMap { view.state.attempts[$0] }
      .flatMap { view.state.departure(of: $0, view.heard?.gateways)?.words }
  }
}
