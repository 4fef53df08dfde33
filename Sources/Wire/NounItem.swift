// What every listed thing has in common: an id, and what people call it. One item type a noun
// stands beside this file; its field names are the API.

import Hosting

package protocol NounItem: Codable, Equatable, JSONWritable, Sendable {
  static var kind: String { get }
  /// The fields that it may have, as they are written.
  static var fieldNames: [String] { get }
  /// As it stands on events: `provider/17`.
  var id: String { get }
  /// What commands call it: `xai`, `xai/grok-3`.
  var label: String { get }
}

/// A state and the moment it is looked at: what items are made from.
package struct Viewpoint: Sendable {
  package let state: HostingState
  /// Now; for a state of the past, the moment that was asked for or of its last event.
  package let moment: Timestamp
  /// What the wharfd that answers hears besides the log; none for a state of the past.
  package let heard: Heard?

  package init(state: HostingState, moment: Timestamp, heard: Heard? = nil) {
    self.state = state
    self.moment = moment
    self.heard = heard
  }

  /// Signals, as of now. Nothing that two states are compared by is made of them.
  package struct Heard: Sendable {
    /// What gateways enforce; none where only another wharfd knows, which leads.
    package let gateways: [GatewayStanding]?
    /// Of a node that counts as active: for how long it was not heard, if that is too long.
    package let silentSeconds: @Sendable (Node) -> Int?
    /// The nodes that were not heard for that long, as of a moment ago.
    package let silent: Set<ID<Node>>

    package init(
      gateways: [GatewayStanding]?, silent: Set<ID<Node>> = [],
      silentSeconds: @escaping @Sendable (Node) -> Int?
    ) {
      self.gateways = gateways
      self.silent = silent
      self.silentSeconds = silentSeconds
    }
  }

  /// Since when a node was not heard; none of one that was, or should not have been.
  func silentSince(_ node: Node) -> Timestamp? {
    heard?.silentSeconds(node).map { moment.adding(seconds: -Int64($0)) }
  }

  func providerName(_ id: ID<Provider>) -> String {
    state.providers[id]?.label ?? id.description
  }

  package func modelName(_ id: ID<Model>) -> String { state.models[id]?.label ?? id.description }
}
