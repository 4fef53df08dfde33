// Events and commands of leases as JSON text, both ways: what EventWriting, CommandWriting and
// CanonicalEvents are for all others.

extension AttemptsDismissed: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("attempts", attempts)
    json.optional("enforced", enforced)
    json.closeObject()
  }
}

extension GatewayStarted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("incarnation", incarnation)
    json.field("address", address)
    json.closeObject()
  }
}

extension GatewayStopped: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("process", process)
    json.field("cause", cause)
    json.closeObject()
  }
}

extension GatewayGraceSet: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("seconds", seconds)
    json.closeObject()
  }
}

// MARK: Read the short way

extension AttemptsDismissed: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let attempts = reader.field("attempts", [AttemptID].self),
      let enforced = reader.optional("enforced", Position.self), reader.close()
    else { return nil }
    self.init(attempts: attempts, enforced: enforced)
  }
}

extension GatewayStarted: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let incarnation = reader.field("incarnation", String.self),
      let address = reader.field("address", String.self), reader.close()
    else { return nil }
    self.init(incarnation: incarnation, address: address)
  }
}

extension GatewayStopped.Cause: CanonicallyRead {}

extension GatewayStopped: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let process = reader.field("process", Position.self),
      let cause = reader.field("cause", Cause.self), reader.close()
    else { return nil }
    self.init(process: process, cause: cause)
  }
}

extension GatewayGraceSet: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let seconds = reader.field("seconds", Int.self), reader.close() else {
      return nil
    }
    self.init(seconds: seconds)
  }
}

// MARK: Commands

extension DismissAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("attempts", attempts)
    json.optional("enforced", enforced)
    json.closeObject()
  }
}

extension StartGatewayProcess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("incarnation", incarnation)
    json.field("address", address)
    json.optional("replaces", replaces)
    json.closeObject()
  }
}

extension StopGatewayProcess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("process", process)
    json.closeObject()
  }
}

extension NoteSilentGateways {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("processes", processes)
    json.closeObject()
  }
}

extension VouchGatewayOff {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("gateway", gateway)
    json.optional("process", process)
    json.optional("all", all)
    json.closeObject()
  }
}

extension SetGatewayGrace {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("seconds", seconds)
    json.closeObject()
  }
}
