// A provider: a company that makes models. It signs agreements; suspending it stops everything of
// it at once.

package struct Provider: PlainlyNamed, SnapshotValue {
  package static let kind = Kind.provider

  package let id: ID<Provider>
  package let name: Name
  package var title: Text
  package let registeredAt: Timestamp
  /// Registered, then suspended and reinstated any number of times.
  package var suspendedAt: Timestamp?
  /// The last agreement signed.
  package var agreement: ID<Agreement>?
}

// MARK: Events

package enum ProviderEvents {
  static let types: [any Event.Type] = [
    ProviderRegistered.self, ProviderSuspended.self, ProviderReinstated.self,
  ]
}

package struct ProviderRegistered: Event {
  package static let type = "providerRegistered"
  package let name: Name
  package let title: Text

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.providers.insert(
      Provider(
        id: fact.subject(), name: name, title: title, registeredAt: fact.recordedAt,
        suspendedAt: nil))
  }
}

package struct ProviderSuspended: Event {
  package static let type = "providerSuspended"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.providers.update(fact.subject()) { $0.suspendedAt = fact.recordedAt }
  }
}

package struct ProviderReinstated: Event {
  package static let type = "providerReinstated"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.providers.update(fact.subject()) { $0.suspendedAt = nil }
  }
}

// MARK: Commands

package enum ProviderCommands {
  static let types: [any Command.Type] = [
    RegisterProvider.self, SuspendProvider.self, ReinstateProvider.self,
  ]
}

package struct RegisterProvider: Command {
  package static let type = "provider.register"
  package let name: Name
  /// How people read it; the name itself when absent.
  package let title: Text?

  package init(name: Name, title: Text? = nil) {
    self.name = name
    self.title = title
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try state.providers.requireFree(name)
    decision.create(
      Provider.self, ProviderRegistered(name: name, title: title ?? Text(naming: name)))
  }
}

/// Stops everything of a provider at once: no grant is served, nothing new starts.
package struct SuspendProvider: Command {
  package static let type = "provider.suspend"
  package let provider: Name

  package init(provider: Name) { self.provider = provider }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.providers.require(provider)
    if found.suspendedAt == nil { decision.record(ProviderSuspended(), on: found.id.stream) }
  }
}

package struct ReinstateProvider: Command {
  package static let type = "provider.reinstate"
  package let provider: Name

  package init(provider: Name) { self.provider = provider }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.providers.require(provider)
    if found.suspendedAt != nil { decision.record(ProviderReinstated(), on: found.id.stream) }
  }
}
