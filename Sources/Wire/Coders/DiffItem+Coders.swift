// Written by `swift run wharf-records` from the fields in DiffItem.swift; not changed by hand.

import Hosting

extension DiffItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("kind", kind)
    json.field("id", id)
    json.field("name", name)
    json.field("change", change)
    json.field("fields", fields)
    json.closeObject()
  }
}

extension DiffItem.Field {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("field", field)
    json.optional("from", from)
    json.optional("to", to)
    json.closeObject()
  }
}
