// Written by `swift run wharf-records` from the fields in GatewayGrace.swift; not changed by hand.

extension GatewayGrace {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      first: snapshot.read(),
      settings: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(first)
    snapshot.write(settings)
  }
}

extension GatewayGrace.Setting {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      position: snapshot.read(),
      seconds: snapshot.read(),
      setAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(seconds)
    snapshot.write(setAt)
  }
}

extension GatewayGraceSet {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("seconds", seconds)
    json.closeObject()
  }
}

extension GatewayGraceSet {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let seconds = reader.field("seconds", Int.self),
      reader.close()
    else { return nil }
    self.init(seconds: seconds)
  }
}

extension SetGatewayGrace {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("seconds", seconds)
    json.closeObject()
  }
}
