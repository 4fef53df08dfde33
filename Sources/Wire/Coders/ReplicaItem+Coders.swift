// Written by `swift run wharf-records` from the fields in ReplicaItem.swift; not changed by hand.

import Hosting

extension ReplicaItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("deployment", deployment)
    json.field("phase", phase)
    json.optional("node", node)
    json.field("devices", devices)
    json.optional("attempt", attempt)
    json.optional("endpoint", endpoint)
    json.optional("since", since)
    json.optional("reason", reason)
    json.optional("waiting", waiting)
    json.optional("waitingSince", waitingSince)
    json.field("failures", failures)
    json.optional("lastFailure", lastFailure)
    json.optional("lastLog", lastLog)
    json.optional("placedAt", placedAt)
    json.optional("readyAt", readyAt)
    json.optional("stopping", stopping)
    json.closeObject()
  }
}

extension ReplicaItem {
  package static let fieldNames = [
    "id",
    "name",
    "deployment",
    "phase",
    "node",
    "devices",
    "attempt",
    "endpoint",
    "since",
    "reason",
    "waiting",
    "waitingSince",
    "failures",
    "lastFailure",
    "lastLog",
    "placedAt",
    "readyAt",
    "stopping",
  ]
}
