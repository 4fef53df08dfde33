// Written by `swift run wharf-records` from the fields in ApplyReport.swift; not changed by hand.

import Hosting

extension ApplyReport.Line {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("document", document)
    json.optional("step", step)
    json.optional("command", command)
    json.optional("commandID", commandID)
    json.field("result", result)
    json.optional("subject", subject)
    json.optional("position", position)
    json.optional("with", with)
    json.closeObject()
  }
}
