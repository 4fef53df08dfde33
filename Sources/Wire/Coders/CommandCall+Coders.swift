// Written by `swift run wharf-records` from the fields in CommandCall.swift; not changed by hand.

import Hosting

extension EventItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("position", position)
    json.field("stream", stream)
    json.field("type", type)
    json.field("data", data)
    json.field("metadata", metadata)
    json.field("actor", actor)
    json.optional("actorName", actorName)
    json.optional("commandID", commandID)
    json.field("recordedAt", recordedAt)
    json.optional("hash", hash)
    json.closeObject()
  }
}
