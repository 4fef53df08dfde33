// Written by `swift run wharf-records` from the fields in Reply.swift; not changed by hand.

import Hosting

extension ItemsReply {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("position", position)
    json.field("items", items)
    json.optional("next", next)
    json.optional("filters", filters)
    json.closeObject()
  }
}

extension ItemReply {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("position", position)
    json.field("item", item)
    json.closeObject()
  }
}
