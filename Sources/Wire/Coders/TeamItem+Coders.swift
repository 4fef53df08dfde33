// Written by `swift run wharf-records` from the fields in TeamItem.swift; not changed by hand.

import Hosting

extension TeamItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("name", name)
    json.field("title", title)
    json.field("audience", audience)
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.field("grants", grants)
    json.field("endedGrants", endedGrants)
    json.field("keys", keys)
    json.field("registeredAt", registeredAt)
    json.optional("limits", limits)
    json.closeObject()
  }
}

extension TeamItem {
  package static let fieldNames = [
    "id",
    "name",
    "title",
    "audience",
    "requestsPerMinute",
    "tokensPerMinute",
    "grants",
    "endedGrants",
    "keys",
    "registeredAt",
    "limits",
  ]
}

extension LimitItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("model", model)
    json.field("kind", kind)
    json.field("perMinute", perMinute)
    json.field("used", used)
    json.optional("owed", owed)
    json.field("left", left)
    json.optional("ageSeconds", ageSeconds)
    json.closeObject()
  }
}

extension GrantItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("workload", workload)
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.optional("until", until)
    json.optional("ends", ends)
    json.field("grantedAt", grantedAt)
    json.closeObject()
  }
}

extension EndedGrantItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("cause", cause)
    json.field("endedAt", endedAt)
    json.closeObject()
  }
}
