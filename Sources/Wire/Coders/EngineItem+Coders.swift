// Written by `swift run wharf-records` from the fields in EngineItem.swift; not changed by hand.

import Hosting

extension EngineItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("tasks", tasks)
    json.field("launch", launch)
    json.closeObject()
  }
}

extension EngineItem {
  package static let fieldNames = [
    "id",
    "name",
    "tasks",
    "launch",
  ]
}
