// Written by `swift run wharf-records` from the fields in NodeItem.swift; not changed by hand.

import Hosting

extension NodeItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("status", status)
    json.field("cordoned", cordoned)
    json.optional("missingDevices", missingDevices)
    json.field("address", address)
    json.field("cpuMillis", cpuMillis)
    json.field("freeCPUMillis", freeCPUMillis)
    json.field("memory", memory)
    json.field("freeMemory", freeMemory)
    json.field("devices", devices)
    json.field("freeDevices", freeDevices)
    json.optional("stoppingDevices", stoppingDevices)
    json.field("attempts", attempts)
    json.field("generation", generation)
    json.optional("lostAt", lostAt)
    json.optional("alarm", alarm)
    json.optional("troubles", troubles)
    json.optional("silentSeconds", silentSeconds)
    json.closeObject()
  }
}

extension NodeItem {
  package static let fieldNames = [
    "id",
    "name",
    "status",
    "cordoned",
    "missingDevices",
    "address",
    "cpuMillis",
    "freeCPUMillis",
    "memory",
    "freeMemory",
    "devices",
    "freeDevices",
    "stoppingDevices",
    "attempts",
    "generation",
    "lostAt",
    "alarm",
    "troubles",
    "silentSeconds",
  ]
}

extension DeviceItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("model", model)
    json.field("memory", memory)
    json.field("charged", charged)
    json.optional("replica", replica)
    json.optional("attempt", attempt)
    json.optional("stopping", stopping)
    json.closeObject()
  }
}
