// Written by `swift run wharf-records` from the fields in Restart.swift; not changed by hand.

extension RequestCounts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("asked", asked)
    json.field("gaveUp", gaveUp)
    json.closeObject()
  }
}

extension RequestCounts {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let asked = reader.field("asked", Int.self),
      let gaveUp = reader.field("gaveUp", Int.self),
      reader.close()
    else { return nil }
    self.init(asked: asked, gaveUp: gaveUp)
  }
}

extension ReplicasRestarted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("cause", cause)
    json.optional("requests", requests)
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension ReplicasRestarted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replicas = reader.field("replicas", [Int].self),
      let cause = reader.field("cause", RestartCause.self),
      let requests = reader.optional("requests", RequestCounts.self),
      let leaving = reader.optional("leaving", Bool.self),
      reader.close()
    else { return nil }
    self.init(replicas: replicas, cause: cause, requests: requests, leaving: leaving)
  }
}

extension RestartReplica {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("number", number)
    json.closeObject()
  }
}

extension RestartAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("attempts", attempts)
    json.field("cause", cause)
    json.optional("requests", requests)
    json.closeObject()
  }
}
