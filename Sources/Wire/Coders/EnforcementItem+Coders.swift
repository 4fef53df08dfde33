// Written by `swift run wharf-records` from the fields in EnforcementItem.swift; not changed by hand.

import Hosting

extension EnforcementItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("gateway", gateway)
    json.optional("enforced", enforced)
    json.field("leaseSeconds", leaseSeconds)
    json.optional("incarnation", incarnation)
    json.optional("address", address)
    json.optional("graceSeconds", graceSeconds)
    json.optional("heardSeconds", heardSeconds)
    json.optional("removed", removed)
    json.optional("isUnknown", isUnknown)
    json.closeObject()
  }
}
