// A provider, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct ProviderItem: NounItem {
  package static let kind = "provider"
  package var id: String
  package var name: Name
  package var title: Text
  /// `active`, `suspended`.
  package var status: String
  package var registeredAt: Timestamp
  package var suspendedAt: Timestamp?
  package var models: Int
  /// Of its last agreement: `signed`, `in force`, `terminated`, `ended`.
  package var agreement: String?

  package var label: String { name.text }

  /// - Parameter models: how many are onboarded.
  package init(_ provider: Provider, models: Int, _ view: Viewpoint) {
    id = provider.id.description
    name = provider.name
    title = provider.title
    status = provider.suspendedAt == nil ? "active" : "suspended"
    registeredAt = provider.registeredAt
    suspendedAt = provider.suspendedAt
    self.models = models
    agreement = view.state.agreement(of: provider)?.status(now: view.moment)
  }
}
