// Written by `swift run wharf-records` from the fields in Gateway.swift; not changed by hand.

extension Gateway {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      credential: snapshot.read(),
      registeredAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(credential)
    snapshot.write(registeredAt)
  }
}

extension GatewayRegistered {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.closeObject()
  }
}

extension GatewayRegistered {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let credential = reader.field("credential", Digest.self),
      reader.close()
    else { return nil }
    self.init(name: name, credential: credential)
  }
}

extension GatewayRemoved {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension GatewayRemoved {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension RegisterGateway {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.closeObject()
  }
}

extension RemoveGateway {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("gateway", gateway)
    json.optional("poweredOff", poweredOff)
    json.closeObject()
  }
}
