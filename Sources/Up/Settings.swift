// What a system was asked to be: kept in its data folder, so that a later `wharf up` without flags
// means the same.

import Hosting
import Machine

package struct SystemSettings: JSONRecord, Hashable, Sendable {
  /// Each has an agent of its own; what else ends sooner are ports and memory.
  package static let mostNodes = 1_000
  static let fewestPortsPerNode = 4

  package var apiPort: Int
  package var gatewayPort: Int
  /// Whether there is a gateway at all.
  package var gateway: Bool
  package var nodes: Int
  /// `auto`, `none`, or simulated ones per node: `4xH100-80G`.
  package var devices: String
  /// The ports of engines, first and last, shared out among the nodes.
  package var firstEnginePort: Int
  package var lastEnginePort: Int

  package init(_ layout: Layout) {
    apiPort = 7400
    gatewayPort = 7480
    gateway = true
    nodes = 1
    devices = "auto"
    // Systems side by side start looking at different places; an agent skips what is taken.
    let blocks = 100
    let block = Int(layout.mark, radix: 16).map { $0 % blocks } ?? 0
    firstEnginePort = 20_000 + block * 100
    lastEnginePort = firstEnginePort + 999
  }

  static func read(_ layout: Layout) throws(UpFailure) -> SystemSettings? {
    guard let bytes = Files.content(of: layout.settings) else { return nil }
    do {
      return try JSONDecoding.read(
        SystemSettings.self, from: JSONValue(document: bytes), strict: false)
    } catch {
      throw UpFailure(
        "cannot read what this system was asked to be, in \(layout.settings): \(error)",
        help: "mend that file, or remove it and name its ports and nodes anew")
    }
  }

  func write(_ layout: Layout) throws(UpFailure) {
    try Files.replace(layout.settings, jsonBytes)
  }

  /// Each flag by which another system was asked for, with what it is here: `--nodes 3 (it has 1)`.
  func differences(from wanted: SystemSettings) -> [String] {
    var found: [String] = []
    func compare(_ flag: String, _ have: some Equatable, _ want: some Equatable) {
      let (have, want) = ("\(have)", "\(want)")
      if have != want { found.append("\(flag) \(want) (it has \(have))") }
    }
    compare("--api-port", apiPort, wanted.apiPort)
    compare("--gateway-port", gatewayPort, wanted.gatewayPort)
    if gateway != wanted.gateway {
      found.append(
        wanted.gateway ? "--gateway (it has none)" : "--no-gateway (it has one)")
    }
    compare("--nodes", nodes, wanted.nodes)
    compare("--devices", devices, wanted.devices)
    compare(
      "--engine-ports", "\(firstEnginePort)-\(lastEnginePort)",
      "\(wanted.firstEnginePort)-\(wanted.lastEnginePort)")
    return found
  }

  var nodeNames: [String] { nodes == 0 ? [] : (1...nodes).map { "node-\($0)" } }

  /// The share of a node, counted from 0.
  func enginePorts(node: Int) -> ClosedRange<Int> {
    let share = (lastEnginePort - firstEnginePort + 1) / max(1, nodes)
    let first = firstEnginePort + node * share
    return first...(first + share - 1)
  }

  /// What the user must change, if anything.
  func problem() -> String? {
    for (port, flag) in [(apiPort, "--api-port"), (gatewayPort, "--gateway-port")]
    where !(1...65_535).contains(port) {
      return "\(flag) must be from 1 to 65535, and is \(port)"
    }
    if gateway && apiPort == gatewayPort {
      return "--api-port and --gateway-port are both \(apiPort): they must differ"
    }
    if !(0...Self.mostNodes).contains(nodes) {
      return "--nodes must be from 0 to \(Self.mostNodes), and is \(nodes)"
    }
    if devices == "auto" && nodes > 1 {
      return "--devices auto gives this machine's devices to one node, and --nodes is \(nodes): "
        + "name simulated ones, such as --devices 4xH100-80G"
    }
    if !(1...65_535).contains(firstEnginePort)
      || !(firstEnginePort...65_535).contains(lastEnginePort)
    {
      return "--engine-ports must be like 20000-20999"
    }
    if (lastEnginePort - firstEnginePort + 1) / max(1, nodes) < Self.fewestPortsPerNode {
      let wanted = Self.fewestPortsPerNode * nodes
      let first = min(firstEnginePort, 65_536 - wanted)
      return "--engine-ports must hold \(Self.fewestPortsPerNode) ports for each node, "
        + "\(wanted) for \(nodes), such as --engine-ports \(first)-\(first + wanted - 1)"
    }
    return devicesProblem()
  }

  private func devicesProblem() -> String? {
    if devices == "auto" || devices == "none" { return nil }
    do { _ = try SimulatedDevices(devices) } catch { return "--devices: \(error)" }
    return nil
  }
}

/// How a running system is, for whoever asks besides its supervisor.
package struct SystemStatus: JSONRecord, Hashable, Sendable {
  package enum Phase: String, Codable, Sendable {
    case starting
    case ready
    case stopping
  }

  package var phase: Phase
  package var settings: SystemSettings

  static func read(_ layout: Layout) -> SystemStatus? {
    guard let bytes = Files.content(of: layout.status), let value = try? JSONValue(document: bytes)
    else {
      return nil
    }
    return try? JSONDecoding.read(SystemStatus.self, from: value, strict: false)
  }

  func write(_ layout: Layout) throws(UpFailure) {
    try Files.replace(layout.status, jsonBytes)
  }
}
