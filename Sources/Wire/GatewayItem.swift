// A gateway, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct GatewayItem: NounItem {
  package static let kind = "gateway"
  package var id: String
  package var name: Name
  package var registeredAt: Timestamp

  package var label: String { name.text }

  package init(_ gateway: Gateway, _ view: Viewpoint) {
    id = gateway.id.description
    name = gateway.name
    registeredAt = gateway.registeredAt
  }
}
