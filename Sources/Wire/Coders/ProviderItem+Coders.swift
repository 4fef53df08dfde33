// Written by `swift run wharf-records` from the fields in ProviderItem.swift; not changed by hand.

import Hosting

extension ProviderItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("title", title)
    json.field("status", status)
    json.field("registeredAt", registeredAt)
    json.optional("suspendedAt", suspendedAt)
    json.field("models", models)
    json.optional("agreement", agreement)
    json.closeObject()
  }
}

extension ProviderItem {
  package static let fieldNames = [
    "id",
    "name",
    "title",
    "status",
    "registeredAt",
    "suspendedAt",
    "models",
    "agreement",
  ]
}
