// Written by `swift run wharf-records` from the fields in AgreementItem.swift; not changed by hand.

import Hosting

extension AgreementItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("provider", provider)
    json.field("status", status)
    json.field("scope", scope)
    json.field("audiences", audiences)
    json.field("from", from)
    json.optional("until", until)
    json.field("noticeDays", noticeDays)
    json.field("signedAt", signedAt)
    json.optional("terminatedAt", terminatedAt)
    json.optional("end", end)
    json.closeObject()
  }
}

extension AgreementItem {
  package static let fieldNames = [
    "id",
    "provider",
    "status",
    "scope",
    "audiences",
    "from",
    "until",
    "noticeDays",
    "signedAt",
    "terminatedAt",
    "end",
  ]
}
