// Written by `swift run wharf-records` from the fields in MarkItem.swift; not changed by hand.

import Hosting

extension MarkItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("position", position)
    json.field("markedAt", markedAt)
    json.closeObject()
  }
}

extension MarkItem {
  package static let fieldNames = [
    "name",
    "position",
    "markedAt",
  ]
}
