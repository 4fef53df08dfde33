// Written by `swift run wharf-records` from the fields in PersonItem.swift; not changed by hand.

import Hosting

extension PersonItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.optional("email", email)
    json.field("role", role)
    json.field("status", status)
    json.field("invitedAt", invitedAt)
    json.optional("forgotten", forgotten)
    json.optional("erased", erased)
    json.optional("inClear", inClear)
    json.closeObject()
  }
}

extension PersonItem {
  package static let fieldNames = [
    "id",
    "name",
    "email",
    "role",
    "status",
    "invitedAt",
    "forgotten",
    "erased",
    "inClear",
  ]
}

extension WhoamiItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("role", role)
    json.closeObject()
  }
}
