// Written by `swift run wharf-records` from the fields in GatewayProcess.swift; not changed by hand.

extension GatewayProcess {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      gateway: snapshot.read(),
      name: snapshot.read(),
      credential: snapshot.read(),
      incarnation: snapshot.read(),
      address: snapshot.read(),
      startedAt: snapshot.read(),
      removedAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(gateway)
    snapshot.write(name)
    snapshot.write(credential)
    snapshot.write(incarnation)
    snapshot.write(address)
    snapshot.write(startedAt)
    snapshot.write(removedAt)
  }
}

extension GatewayStarted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("incarnation", incarnation)
    json.field("address", address)
    json.closeObject()
  }
}

extension GatewayStarted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let incarnation = reader.field("incarnation", String.self),
      let address = reader.field("address", String.self),
      reader.close()
    else { return nil }
    self.init(incarnation: incarnation, address: address)
  }
}

extension GatewayStopped {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("process", process)
    json.field("cause", cause)
    json.closeObject()
  }
}

extension GatewayStopped {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let process = reader.field("process", Position.self),
      let cause = reader.field("cause", Cause.self),
      reader.close()
    else { return nil }
    self.init(process: process, cause: cause)
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
