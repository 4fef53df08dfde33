// Written by `swift run wharf-records` from the fields in StatusItem.swift; not changed by hand.

import Hosting

extension StatusItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("era", era)
    json.optional("hash", hash)
    json.field("standing", standing)
    json.optional("leader", leader)
    json.optional("behind", behind)
    json.optional("aheadSeconds", aheadSeconds)
    json.field("you", you)
    json.field("role", role)
    json.field("recordedAt", recordedAt)
    json.field("counts", counts)
    json.field("deployments", deployments)
    json.field("nodes", nodes)
    json.optional("stopping", stopping)
    json.optional("gateways", gateways)
    json.field("graceSeconds", graceSeconds)
    json.closeObject()
  }
}

extension StatusItem.BehindLine {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("reader", reader)
    json.field("position", position)
    json.field("head", head)
    json.field("since", since)
    json.closeObject()
  }
}

extension StatusItem.Counts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("providers", providers)
    json.field("models", models)
    json.field("teams", teams)
    json.field("keys", keys)
    json.field("persons", persons)
    json.field("deployments", deployments)
    json.field("replicas", replicas)
    json.field("ready", ready)
    json.field("nodes", nodes)
    json.field("devices", devices)
    json.field("freeDevices", freeDevices)
    json.field("gateways", gateways)
    json.field("gatewayProcesses", gatewayProcesses)
    json.closeObject()
  }
}

extension StatusItem.DeploymentLine {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("model", model)
    json.field("ready", ready)
    json.field("wanted", wanted)
    json.field("waiting", waiting)
    json.optional("underway", underway)
    json.closeObject()
  }
}

extension StatusItem.Underway {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("phase", phase)
    json.field("replicas", replicas)
    json.field("since", since)
    json.field("replica", replica)
    json.optional("node", node)
    json.optional("reason", reason)
    json.closeObject()
  }
}

extension StatusItem.GatewayLine {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("address", address)
    json.field("state", state)
    json.closeObject()
  }
}

extension StatusItem.Waiting {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("reason", reason)
    json.field("replicas", replicas)
    json.closeObject()
  }
}

extension StatusItem.NodeLine {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("status", status)
    json.field("cordoned", cordoned)
    json.optional("alarm", alarm)
    json.optional("troubles", troubles)
    json.optional("silentSeconds", silentSeconds)
    json.field("devices", devices)
    json.field("freeDevices", freeDevices)
    json.optional("missing", missing)
    json.optional("stoppingDevices", stoppingDevices)
    json.closeObject()
  }
}
