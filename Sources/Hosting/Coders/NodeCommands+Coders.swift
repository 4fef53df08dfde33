// Written by `swift run wharf-records` from the fields in NodeCommands.swift; not changed by hand.

extension JoinNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.field("facts", facts)
    json.closeObject()
  }
}

extension CordonNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension UncordonNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension DeclareNodeLost {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.field("silentSeconds", silentSeconds)
    json.closeObject()
  }
}

extension DeclareNodeReturned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension ReportNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("bootID", bootID)
    json.field("incarnation", incarnation)
    json.field("generation", generation)
    json.field("facts", facts)
    json.field("attempts", attempts)
    json.optional("strangers", strangers)
    json.optional("unknownProcesses", unknownProcesses)
    json.optional("troubles", troubles)
    json.closeObject()
  }
}

extension RemoveNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.field("poweredOff", poweredOff)
    json.closeObject()
  }
}
