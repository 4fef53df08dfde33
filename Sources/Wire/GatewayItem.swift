// A gateway, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct GatewayItem: NounItem {
  package static let kind = "gateway"
  package var id: String
  package var name: Name
  package var registeredAt: Timestamp
  /// How long each serves on after its lease, while no leader answers.
  package var graceSeconds: Int
  /// Those that may serve.
  package var processes: [ProcessItem]

  package struct ProcessItem: Codable, Equatable, Sendable {
    package var incarnation: String
    package var address: String
    package var startedAt: Timestamp
  }

  package var label: String { name.text }

  package init(_ gateway: Gateway, _ view: Viewpoint) {
    id = gateway.id.description
    name = gateway.name
    registeredAt = gateway.registeredAt
    graceSeconds = view.state.graceSeconds
    processes = view.state.processes(of: gateway.id).map {
      ProcessItem(incarnation: $0.incarnation, address: $0.address, startedAt: $0.startedAt)
    }
  }
}
