// Written by `swift run wharf-records` from the fields in Log.swift; not changed by hand.

extension LogState {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      era: snapshot.read(),
      leader: snapshot.read(),
      formatLevel: snapshot.read(),
      secretFingerprint: snapshot.read(),
      marks: snapshot.read(),
      unnamedUntil: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(era)
    snapshot.write(leader)
    snapshot.write(formatLevel)
    snapshot.write(secretFingerprint)
    snapshot.write(marks)
    snapshot.write(unnamedUntil)
  }
}

extension Era {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      position: snapshot.read(),
      database: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(database)
  }
}

extension DatabaseIdentity {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("systemIdentifier", systemIdentifier)
    json.field("timeline", timeline)
    json.field("database", database)
    json.field("table", table)
    json.closeObject()
  }
}

extension DatabaseIdentity {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let systemIdentifier = reader.field("systemIdentifier", String.self),
      let timeline = reader.field("timeline", Int.self),
      let database = reader.field("database", Int64.self),
      let table = reader.field("table", Int64.self),
      reader.close()
    else { return nil }
    self.init(
      systemIdentifier: systemIdentifier,
      timeline: timeline,
      database: database,
      table: table)
  }
}

extension DatabaseIdentity {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      systemIdentifier: snapshot.read(),
      timeline: snapshot.read(),
      database: snapshot.read(),
      table: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(systemIdentifier)
    snapshot.write(timeline)
    snapshot.write(database)
    snapshot.write(table)
  }
}

extension Leadership {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      epoch: snapshot.read(),
      instance: snapshot.read(),
      address: snapshot.read(),
      takenAt: snapshot.read(),
      nodeLostSeconds: snapshot.read(),
      inheritedSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(epoch)
    snapshot.write(instance)
    snapshot.write(address)
    snapshot.write(takenAt)
    snapshot.write(nodeLostSeconds)
    snapshot.write(inheritedSeconds)
  }
}

extension Mark {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      name: snapshot.read(),
      position: snapshot.read(),
      markedAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(name)
    snapshot.write(position)
    snapshot.write(markedAt)
  }
}

extension EraBegan {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("database", database)
    json.closeObject()
  }
}

extension EraBegan {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let database = reader.field("database", DatabaseIdentity.self),
      reader.close()
    else { return nil }
    self.init(database: database)
  }
}

extension LeadershipTaken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("address", address)
    json.optional("nodeLostSeconds", nodeLostSeconds)
    json.closeObject()
  }
}

extension LeadershipTaken {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let instance = reader.field("instance", String.self),
      let address = reader.field("address", String.self),
      let nodeLostSeconds = reader.optional("nodeLostSeconds", Int.self),
      reader.close()
    else { return nil }
    self.init(instance: instance, address: address, nodeLostSeconds: nodeLostSeconds)
  }
}

extension ClusterSecretRecorded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("fingerprint", fingerprint)
    json.closeObject()
  }
}

extension ClusterSecretRecorded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let fingerprint = reader.field("fingerprint", Digest.self),
      reader.close()
    else { return nil }
    self.init(fingerprint: fingerprint)
  }
}

extension CommandNoted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("command", command)
    json.closeObject()
  }
}

extension CommandNoted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let command = reader.field("command", String.self),
      reader.close()
    else { return nil }
    self.init(command: command)
  }
}

extension MarkPlaced {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("position", position)
    json.closeObject()
  }
}

extension MarkPlaced {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let position = reader.field("position", Position.self),
      reader.close()
    else { return nil }
    self.init(name: name, position: position)
  }
}

extension PlaceMark {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("position", position)
    json.closeObject()
  }
}

extension TakeLeadership {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("address", address)
    json.field("database", database)
    json.field("formatLevel", formatLevel)
    json.optional("secretFingerprint", secretFingerprint)
    json.optional("nodeLostSeconds", nodeLostSeconds)
    json.closeObject()
  }
}

extension BeginEra {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("database", database)
    json.optional("secretFingerprint", secretFingerprint)
    json.closeObject()
  }
}

extension RecordClusterSecret {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("fingerprint", fingerprint)
    json.closeObject()
  }
}
