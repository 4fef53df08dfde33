// The processes of gateways. Each is known to the log before it is given its first lease, so whoever
// leads next knows of every one that may serve. Two processes with one credential are two.
//
//   started → stopped: it left, another took its place, it was silent for all of its lease, or a person
//   vouches that it is off

import HashTreeCollections

package struct GatewayProcess: Equatable, Sendable, SnapshotValue {
  /// The position of its `gatewayStarted`.
  package let id: Position
  package let gateway: ID<Gateway>
  /// Its gateway's, which may be removed while the process may still serve.
  package let name: Name
  package let credential: Digest
  /// Made at random when the process started.
  package let incarnation: String
  package let address: String
  package let startedAt: Timestamp
  /// Its gateway was removed: it gets no lease any more.
  package var removedAt: Timestamp?

  package static let longestIncarnation = 64
  package static let longestAddress = 128
  /// Of one gateway, at once.
  package static let limitPerGateway = 64

  /// What tells processes apart, and where they say they are: signs that a gateway may send.
  package static func isWellFormed(_ text: String, longest: Int) -> Bool {
    (1...longest).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"),
          UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "["), UInt8(ascii: "]"):
          true
        default: false
        }
      }
  }
}

extension HostingState {
  package func processes(of gateway: ID<Gateway>) -> [GatewayProcess] {
    gatewayProcesses.values.filter { $0.gateway == gateway && $0.removedAt == nil }
      .sorted { $0.id < $1.id }
  }

  package func process(of gateway: ID<Gateway>, incarnation: String) -> GatewayProcess? {
    processes(of: gateway).first { $0.incarnation == incarnation }
  }
}

// MARK: Events

package enum GatewayProcessEvents {
  static let types: [any Event.Type] = [GatewayStarted.self, GatewayStopped.self]
}

package struct GatewayStarted: Event {
  package static let type = "gatewayStarted"
  package static let formatLevel = FormatLevel.kept
  package let incarnation: String
  package let address: String

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Gateway> = try fact.subject()
    guard let gateway = state.gateways[id] else { throw Contradiction("there is no \(id)") }
    state.gatewayProcesses[fact.position] = GatewayProcess(
      id: fact.position, gateway: id, name: gateway.name, credential: gateway.credential,
      incarnation: incarnation, address: address, startedAt: fact.recordedAt)
  }
}

/// Nothing is served by this process any more.
package struct GatewayStopped: Event {
  package static let type = "gatewayStopped"
  package static let formatLevel = FormatLevel.kept
  package let process: Position
  package let cause: Cause

  /// Why that is certain. Raw values are a storage format.
  package enum Cause: String, CaseIterable, Sendable, JSONCoded {
    /// It said so itself, when it had answered its last request.
    case left
    /// Another process of its machine found that it is gone, or it began anew itself.
    case replaced
    /// It was not heard for all of its lease and grace.
    case silent
    /// A person vouches for it.
    case poweredOff
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    guard state.gatewayProcesses.removeValue(forKey: process) != nil else {
      throw Contradiction("there is no process \(process) of a gateway")
    }
  }
}

// MARK: Commands

package enum GatewayProcessCommands {
  static let types: [any Command.Type] = [
    StartGatewayProcess.self, StopGatewayProcess.self, NoteSilentGateways.self,
    VouchGatewayOff.self,
  ]
}

/// A gateway's process asks for its first lease.
package struct StartGatewayProcess: Command {
  package static let type = "gateway.start"
  package static let allowed: Set<Role> = [.gateway]
  package let incarnation: String
  package let address: String
  /// The incarnation before it, which is known to be gone.
  package let replaces: String?

  package init(incarnation: String, address: String, replaces: String? = nil) {
    self.incarnation = incarnation
    self.address = address
    self.replaces = replaces
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard case .of(let stream) = decision.principal.actor,
      let gateway = state.gateways[ID(stream.origin)]
    else { return }
    guard
      GatewayProcess.isWellFormed(incarnation, longest: GatewayProcess.longestIncarnation),
      GatewayProcess.isWellFormed(address, longest: GatewayProcess.longestAddress)
    else {
      throw Refusal(
        "malformedProcess",
        "cannot start a process of gateway \(gateway.name): what it calls itself is not well formed",
        help: "use the wharf-gateway of the same release as the wharfd")
    }
    let processes = state.processes(of: gateway.id)
    let gone = processes.filter { $0.incarnation == replaces }
    if gone.isEmpty, processes.contains(where: { $0.incarnation == incarnation }) { return }
    guard processes.count - gone.count < GatewayProcess.limitPerGateway else {
      throw Refusal(
        "tooManyProcesses",
        "cannot start a process of gateway \(gateway.name): \(processes.count) of it may still serve",
        help: "register a gateway for each place that serves: wharf gateway register NAME")
    }
    for process in gone {
      decision.record(GatewayStopped(process: process.id, cause: .replaced), on: stream)
    }
    decision.record(GatewayStarted(incarnation: incarnation, address: address), on: stream)
  }
}

/// A gateway's process has answered its last request.
package struct StopGatewayProcess: Command {
  package static let type = "gateway.leave"
  package static let allowed: Set<Role> = [.gateway, .system]
  package let process: Position

  package init(process: Position) { self.process = process }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.gatewayProcesses[process] else { return }
    switch decision.principal.actor {
    case .of(let stream) where stream != found.gateway.stream: return
    case .of, .wharfd:
      decision.record(GatewayStopped(process: process, cause: .left), on: found.gateway.stream)
    }
  }
}

/// Notes processes that were not heard for so long that they serve nothing any more.
package struct NoteSilentGateways: Command {
  package static let type = "gateway.noteSilent"
  package static let allowed: Set<Role> = [.system]
  package let processes: [Position]

  package init(processes: [Position]) { self.processes = processes }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    for id in processes {
      guard let found = state.gatewayProcesses[id] else { continue }
      decision.record(GatewayStopped(process: id, cause: .silent), on: found.gateway.stream)
    }
  }
}

/// On a person's word, a process of a gateway is off, or all of them are: nobody waits for their leases
/// any more. Where several may serve, the word says which: one that is meant alone would otherwise speak
/// for another that runs.
package struct VouchGatewayOff: Command {
  package static let type = "gateway.vouchOff"
  package let gateway: Name
  /// The incarnation that is off, or its first characters.
  package let process: Text?
  /// All of them are.
  package let all: Bool?

  package init(gateway: Name, process: Text? = nil, all: Bool? = nil) {
    self.gateway = gateway
    self.process = process
    self.all = all
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    // Its gateway may be removed, and its name another's by now.
    let found = state.gatewayProcesses.values.filter { $0.name.key == gateway.key }
      .sorted { $0.id < $1.id }
    if found.isEmpty { _ = try state.gateways.require(gateway) }
    for process in try meant(of: found) {
      decision.record(
        GatewayStopped(process: process.id, cause: .poweredOff), on: process.gateway.stream)
    }
  }

  private func meant(of found: [GatewayProcess]) throws(Refusal) -> [GatewayProcess] {
    guard let process else {
      guard found.count > 1, all != true else { return found }
      throw Refusal(
        "severalProcesses",
        "cannot note that gateway \(gateway) is off: \(found.count) processes of it may serve, and which "
          + "is meant is not said: \(Self.listed(found))",
        help: "name the one that is off, here the first: "
          + "\(found[0].commandThatItIsOff); or, where none of them runs: "
          + "wharf gateway powered-off \(gateway) --all")
    }
    guard all != true else {
      throw Refusal(
        "contradiction",
        "cannot note that gateway \(gateway) is off: one process is named, and all are meant",
        help: "say the one or the other")
    }
    let named = found.filter { $0.incarnation.hasPrefix(process.value) }
    if let exact = named.first(where: { $0.incarnation == process.value }) { return [exact] }
    guard named.count == 1 else {
      let why = named.isEmpty ? "no process of it has" : "\(named.count) processes of it have"
      throw Refusal(
        "unknownProcess",
        "cannot note that '\(process.value.shortened(to: 80))' of gateway \(gateway) is off: "
          + "\(why) an incarnation that begins so",
        help: found.isEmpty
          ? "none of it may serve" : "there are: \(Self.listed(found))")
    }
    return named
  }

  private static let listedLimit = 4

  private static func listed(_ processes: [GatewayProcess]) -> String {
    let more = processes.count - listedLimit
    return processes.prefix(listedLimit).map {
      "\($0.incarnation) at \($0.address), since \($0.startedAt.short)"
    }.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
  }
}

extension GatewayProcess {
  /// What a person runs who is certain that just this one is off.
  package var commandThatItIsOff: String {
    Self.commandThatItIsOff(name, incarnation)
  }

  package static func commandThatItIsOff(_ gateway: Name, _ incarnation: String) -> String {
    "wharf gateway powered-off \(gateway) --process \(incarnation)"
  }
}
