// Written by `swift run wharf-records` from the fields in KeyItem.swift; not changed by hand.

import Hosting

extension KeyItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("team", team)
    json.field("name", name)
    json.field("prefix", prefix)
    json.field("issuedAt", issuedAt)
    json.optional("until", until)
    json.optional("previousUntil", previousUntil)
    json.field("secrets", secrets)
    json.closeObject()
  }
}

extension KeyItem {
  package static let fieldNames = [
    "id",
    "team",
    "name",
    "prefix",
    "issuedAt",
    "until",
    "previousUntil",
    "secrets",
  ]
}

extension KeyItem.LiveSecret {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("prefix", prefix)
    json.optional("until", until)
    json.closeObject()
  }
}
