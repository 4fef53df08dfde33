// What every listed thing has in common: an id, and what people call it. One item type a noun
// stands beside this file; its field names are the API.

import Hosting

package protocol NounItem: Codable, Equatable, Sendable {
  static var kind: String { get }
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

  package init(state: HostingState, moment: Timestamp) {
    self.state = state
    self.moment = moment
  }

  func providerName(_ id: ID<Provider>) -> String {
    state.providers[id]?.label ?? id.description
  }

  package func modelName(_ id: ID<Model>) -> String { state.models[id]?.label ?? id.description }
}
