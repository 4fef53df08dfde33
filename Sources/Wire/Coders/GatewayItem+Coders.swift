// Written by `swift run wharf-records` from the fields in GatewayItem.swift; not changed by hand.

import Hosting

extension GatewayItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("registeredAt", registeredAt)
    json.field("graceSeconds", graceSeconds)
    json.field("processes", processes)
    json.closeObject()
  }
}

extension GatewayItem {
  package static let fieldNames = [
    "id",
    "name",
    "registeredAt",
    "graceSeconds",
    "processes",
  ]
}

extension GatewayItem.ProcessItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("incarnation", incarnation)
    json.field("address", address)
    json.field("startedAt", startedAt)
    json.optional("state", state)
    json.closeObject()
  }
}

extension GatewayState {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("code", code)
    json.field("words", words)
    json.optional("help", help)
    json.closeObject()
  }
}
