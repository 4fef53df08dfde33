// Written by `swift run wharf-records` from the fields in Access.swift; not changed by hand.

extension AgreedTerms {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("scope", scope)
    json.field("audiences", audiences)
    json.optional("from", from)
    json.optional("end", end)
    json.field("ended", ended)
    json.closeObject()
  }
}

extension AgreedTerms {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let scope = reader.field("scope", [Workload].self),
      let audiences = reader.field("audiences", [Audience].self),
      let from = reader.optional("from", Timestamp.self),
      let end = reader.optional("end", Timestamp.self),
      let ended = reader.field("ended", Bool.self),
      reader.close()
    else { return nil }
    self.init(scope: scope, audiences: audiences, from: from, end: end, ended: ended)
  }
}
