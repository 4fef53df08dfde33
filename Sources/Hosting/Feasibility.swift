// May this replica stand on this node? One function, asked by the planner that proposes, by the
// command that decides at the head, and by the explanation of what waits: so a reason is never
// another one than the one that decided.

/// What is already taken on nodes by placements that are not in the state yet.
package struct Tentative: Sendable {
  private var devices: [ID<Node>: Set<String>] = [:]
  private var taken: [ID<Node>: (cpuMillis: Int, memory: Bytes)] = [:]

  package init() {}

  package func holds(_ device: String, of node: ID<Node>) -> Bool {
    devices[node]?.contains(device) ?? false
  }

  package func taken(on node: ID<Node>) -> (cpuMillis: Int, memory: Bytes) {
    taken[node] ?? (0, .zero)
  }

  package mutating func take(_ devices: [String], _ needs: Needs, on node: ID<Node>) {
    self.devices[node, default: []].formUnion(devices)
    let before = taken(on: node)
    taken[node] = (before.cpuMillis + needs.cpuMillis, before.memory + needs.memory)
  }
}

/// Why a node cannot take a replica, and how much is missing.
package enum Shortfall: Hashable, Sendable {
  case notActive(Node.Status)
  /// And which devices vanished while they were in use.
  case cordoned(missing: [String])
  /// Its agent raised the alarm over this log, and changes nothing.
  case alarmed
  /// What its agent says ails it.
  case troubled([NodeTrouble])
  /// It was lost and came back again and again, and takes nothing new for a while.
  case settling(until: Timestamp)
  case devices(wanted: Int, free: Int)
  /// Enough devices are free, too few of them with this much memory.
  case deviceMemory(wanted: Bytes, largestFree: Bytes)
  case cpu(wantedMillis: Int, freeMillis: Int)
  case memory(wanted: Bytes, free: Bytes)

  package var reason: WaitingReason {
    switch self {
    case .notActive, .cordoned, .alarmed, .troubled, .settling: .noOpenNode
    case .devices: .notEnoughDevices
    case .deviceMemory: .deviceMemoryTooSmall
    case .cpu: .notEnoughCPU
    case .memory: .notEnoughMemory
    }
  }
}

extension Shortfall: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notActive(let status): "the node is \(status.rawValue)"
    case .cordoned(let missing):
      missing.isEmpty
        ? "the node is cordoned" : "the node is cordoned, since \(Node.vanished(missing)) in use"
    case .alarmed: "the node's agent does not believe this log"
    case .troubled(let troubles): troubles.map(\.words).joined(separator: ", ")
    case .settling(let until): "the node flaps and takes nothing new before \(until.short)"
    case .devices(let wanted, let free): "wants \(wanted) devices, \(free) free"
    case .deviceMemory(let wanted, let largest):
      "wants \(wanted) on each device, the largest free has \(largest)"
    case .cpu(let wanted, let free): "wants \(wanted)m CPU, \(free)m free"
    case .memory(let wanted, let free): "wants \(wanted) memory, \(free) free"
    }
  }
}

extension HostingState {
  /// The devices that a replica would get on a node, or what the node lacks. Devices are taken
  /// smallest first, so that large ones stay free for who needs them.
  package func fit(
    _ needs: Needs, on node: Node, beside tentative: Tentative, now: Timestamp
  ) -> Result<[String], UnfitNode> {
    var shortfalls: [Shortfall] = []
    if node.status != .active { shortfalls.append(.notActive(node.status)) }
    if node.cordoned { shortfalls.append(.cordoned(missing: node.missing)) }
    if node.alarm != nil { shortfalls.append(.alarmed) }
    let closing = node.troubles.filter(\.closesNode)
    if !closing.isEmpty { shortfalls.append(.troubled(closing)) }
    if let opensAt = node.opensAt, now < opensAt { shortfalls.append(.settling(until: opensAt)) }
    let free = freeDevices(of: node).filter { !tentative.holds($0.id, of: node.id) }
    let large = free.filter { $0.memory >= needs.deviceMemory }
    let room = self.free(of: node)
    let taken = tentative.taken(on: node.id)
    let left = Room(
      devices: free.count, largeDevices: large.count,
      largestDevice: free.map(\.memory).max() ?? .zero,
      cpuMillis: room.cpuMillis - taken.cpuMillis, memory: room.memory - taken.memory)
    shortfalls += left.shortfalls(of: needs)
    guard shortfalls.isEmpty else { return .failure(UnfitNode(shortfalls: shortfalls)) }
    let chosen = large.enumerated()
      .sorted { ($0.element.memory, $0.offset) < ($1.element.memory, $1.offset) }
      .prefix(needs.devices)
      .sorted { $0.offset < $1.offset }
    return .success(chosen.map(\.element.id))
  }

  /// Why nothing of a deployment may run now, whatever the nodes have; none if it may.
  package func obstacle(to deployment: Deployment, now: Timestamp) -> WaitingReason? {
    line(of: deployment.model, deployment.workload).flatMap { obstacle(to: $0, now: now) }
  }

  package func obstacle(to line: Line, now: Timestamp) -> WaitingReason? {
    guard let provider = providers[line.provider] else { return nil }
    if provider.suspendedAt != nil { return .providerSuspended }
    guard let agreement = agreement(of: provider), agreement.status(now: now) != "ended",
      agreement.terms.from <= now, agreement.terms.scope.contains(line.workload)
    else { return .agreementEnded }
    return nil
  }
}

/// What is free on an open node, for a replica of certain needs.
package struct Room: Sendable {
  package var devices: Int
  /// Those of them with the memory that the replica needs on each device.
  package var largeDevices: Int
  package var largestDevice: Bytes
  package var cpuMillis: Int
  package var memory: Bytes

  package init(
    devices: Int, largeDevices: Int, largestDevice: Bytes, cpuMillis: Int, memory: Bytes
  ) {
    self.devices = devices
    self.largeDevices = largeDevices
    self.largestDevice = largestDevice
    self.cpuMillis = cpuMillis
    self.memory = memory
  }

  /// What is missing for the replica; nothing, if it fits.
  package func shortfalls(of needs: Needs) -> [Shortfall] {
    var found: [Shortfall] = []
    if devices < needs.devices {
      found.append(.devices(wanted: needs.devices, free: devices))
    } else if largeDevices < needs.devices {
      found.append(.deviceMemory(wanted: needs.deviceMemory, largestFree: largestDevice))
    }
    if cpuMillis < needs.cpuMillis {
      found.append(.cpu(wantedMillis: needs.cpuMillis, freeMillis: cpuMillis))
    }
    if memory < needs.memory { found.append(.memory(wanted: needs.memory, free: memory)) }
    return found
  }
}

package struct UnfitNode: Error, Hashable, Sendable {
  package let shortfalls: [Shortfall]
}
