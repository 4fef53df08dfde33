// Written by `swift run wharf-records` from the fields in WhyItem.swift; not changed by hand.

import Hosting

extension WhyItem {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("subject", subject)
    json.field("verdict", verdict)
    json.field("facts", facts)
    json.field("nodes", nodes)
    json.field("help", help)
    json.closeObject()
  }
}

extension WhyItem.RuledOut {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.field("rules", rules)
    json.closeObject()
  }
}
