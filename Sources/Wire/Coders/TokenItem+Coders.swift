// Written by `swift run wharf-records` from the fields in TokenItem.swift; not changed by hand.

import Hosting

extension TokenItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("person", person)
    json.optional("name", name)
    json.field("issuedAt", issuedAt)
    json.optional("until", until)
    json.optional("lastUsed", lastUsed)
    json.optional("watchedSince", watchedSince)
    json.field("presented", presented)
    json.closeObject()
  }
}

extension TokenItem {
  package static let fieldNames = [
    "id",
    "person",
    "name",
    "issuedAt",
    "until",
    "lastUsed",
    "watchedSince",
    "presented",
  ]
}

extension JoinTokenItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.optional("prefix", prefix)
    json.field("issuedAt", issuedAt)
    json.field("until", until)
    json.closeObject()
  }
}

extension JoinTokenItem {
  package static let fieldNames = [
    "id",
    "prefix",
    "issuedAt",
    "until",
  ]
}
