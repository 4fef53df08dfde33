// A gateway: answers teams by a policy, and proves from which position on it enforces it.

import HashTreeCollections

package struct Gateway: PlainlyNamed, SnapshotValue {
  package static let kind = Kind.gateway

  package let id: ID<Gateway>
  package let name: Name
  package let credential: Digest
  package let registeredAt: Timestamp
}

// MARK: Events

package enum GatewayEvents {
  static let types: [any Event.Type] =
    [GatewayRegistered.self, GatewayRemoved.self, GatewayGraceSet.self]
    + GatewayProcessEvents.types
}

package struct GatewayRegistered: Event {
  package static let type = "gatewayRegistered"
  package let name: Name
  package let credential: Digest

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Gateway> = try fact.subject()
    try state.gateways.insert(
      Gateway(id: id, name: name, credential: credential, registeredAt: fact.recordedAt))
    state.credentials[credential] = Credential(holder: id.stream, use: .gateway)
  }
}

package struct GatewayRemoved: Event {
  package static let type = "gatewayRemoved"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Gateway> = try fact.subject()
    if let gateway = state.gateways[id] { state.credentials[gateway.credential] = nil }
    // They may serve on until their leases are over, and count until then.
    for process in state.processes(of: id) {
      state.gatewayProcesses[process.id]?.removedAt = fact.recordedAt
    }
    try state.gateways.remove(id)
  }
}

// MARK: Commands

package enum GatewayCommands {
  static let types: [any Command.Type] =
    [RegisterGateway.self, RemoveGateway.self, SetGatewayGrace.self]
    + GatewayProcessCommands.types
}

/// Makes a gateway known by the digest of the credential that it will present.
package struct RegisterGateway: Command {
  package static let type = "gateway.register"
  package let name: Name
  package let credential: Digest

  package init(name: Name, credential: Digest) {
    self.name = name
    self.credential = credential
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    if let known = state.gateways.named(name), known.credential == credential { return }
    try state.gateways.requireFree(name)
    guard state.credentials[credential] == nil else {
      throw Refusal("secretInUse", "this credential is already in use", help: "make a new one")
    }
    decision.create(Gateway.self, GatewayRegistered(name: name, credential: credential))
  }
}

/// Its credential is good no more. A process of it stops serving when it hears that, and when it does
/// not, once its lease and grace have run out: until then it counts among those that may serve.
package struct RemoveGateway: Command {
  package static let type = "gateway.remove"
  package let gateway: Name
  /// A person vouches that none of its processes runs.
  package let poweredOff: Bool?

  package init(gateway: Name, poweredOff: Bool? = nil) {
    self.gateway = gateway
    self.poweredOff = poweredOff
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.gateways.require(gateway)
    if poweredOff == true {
      for process in state.processes(of: found.id) {
        decision.record(
          GatewayStopped(process: process.id, cause: .poweredOff), on: found.id.stream)
      }
    }
    decision.record(GatewayRemoved(), on: found.id.stream)
  }
}
