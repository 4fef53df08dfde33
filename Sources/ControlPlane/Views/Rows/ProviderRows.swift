// views.providers

import Hosting

enum ProviderRows {
  static let providers = RowMaker<Provider>(
    "providers",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.text },
      .text("title") { $0.title.value },
      .text("status") { $0.suspendedAt == nil ? "registered" : "suspended" },
      .time("registered_at") { $0.registeredAt },
      .time("suspended_at") { $0.suspendedAt },
      .text("agreement_id") { $0.agreement?.description },
    ])

  static func add(_ id: ID<Provider>, of state: HostingState, to rows: inout RowSet) {
    if let provider = state.providers[id] { rows.add(providers, provider) }
  }
}
