// Written by `swift run wharf-records` from the fields in ModelItem.swift; not changed by hand.

import Hosting

extension ModelItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("provider", provider)
    json.field("task", task)
    json.optional("contextLength", contextLength)
    json.field("status", status)
    json.field("published", published)
    json.field("versions", versions)
    json.field("aliases", aliases)
    json.field("onboardedAt", onboardedAt)
    json.optional("deprecatedAt", deprecatedAt)
    json.optional("retiredAt", retiredAt)
    json.closeObject()
  }
}

extension ModelItem {
  package static let fieldNames = [
    "id",
    "name",
    "provider",
    "task",
    "contextLength",
    "status",
    "published",
    "versions",
    "aliases",
    "onboardedAt",
    "deprecatedAt",
    "retiredAt",
  ]
}

extension ModelItem.Publication {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("audience", audience)
    json.field("stage", stage)
    json.closeObject()
  }
}

extension ModelItem.Alias {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("alias", alias)
    json.field("version", version)
    json.closeObject()
  }
}

extension ModelItem.Version {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("label", label)
    json.field("engine", engine)
    json.field("command", command)
    json.field("devices", devices)
    json.field("deviceMemory", deviceMemory)
    json.field("cpuMillis", cpuMillis)
    json.field("memory", memory)
    json.optional("modelPath", modelPath)
    json.optional("weights", weights)
    json.optional("arguments", arguments)
    json.field("addedAt", addedAt)
    json.optional("deployments", deployments)
    json.closeObject()
  }
}
