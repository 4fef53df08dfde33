// Written by `swift run wharf-records` from the fields in DeploymentItem.swift; not changed by hand.

import Hosting

extension DeploymentItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("model", model)
    json.field("version", version)
    json.field("workload", workload)
    json.field("wanted", wanted)
    json.field("ready", ready)
    json.field("exclusive", exclusive)
    json.field("replicas", replicas)
    json.field("stopping", stopping)
    json.field("createdAt", createdAt)
    json.optional("deletedAt", deletedAt)
    json.closeObject()
  }
}

extension DeploymentItem {
  package static let fieldNames = [
    "id",
    "name",
    "model",
    "version",
    "workload",
    "wanted",
    "ready",
    "exclusive",
    "replicas",
    "stopping",
    "createdAt",
    "deletedAt",
  ]
}

extension StoppingItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("attempt", attempt)
    json.field("replica", replica)
    json.field("node", node)
    json.field("phase", phase)
    json.optional("reason", reason)
    json.optional("devices", devices)
    json.optional("waits", waits)
    json.closeObject()
  }
}
