// Written by `swift run wharf-records` from the fields in Node.swift; not changed by hand.

extension Node {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      status: snapshot.read(),
      facts: snapshot.read(),
      bootID: snapshot.read(),
      incarnation: snapshot.read(),
      cordoned: snapshot.read(),
      missing: snapshot.read(),
      joinedAt: snapshot.read(),
      lostAt: snapshot.read(),
      returnedAt: snapshot.read(),
      losses: snapshot.read(),
      opensAt: snapshot.read(),
      credential: snapshot.read(),
      attempts: snapshot.read(),
      charges: snapshot.read(),
      taken: snapshot.read(),
      freeMemories: snapshot.read(),
      generation: snapshot.read(),
      changed: snapshot.read(),
      alarm: snapshot.read(),
      troubles: snapshot.read(),
      acceptedEra: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(status)
    snapshot.write(facts)
    snapshot.write(bootID)
    snapshot.write(incarnation)
    snapshot.write(cordoned)
    snapshot.write(missing)
    snapshot.write(joinedAt)
    snapshot.write(lostAt)
    snapshot.write(returnedAt)
    snapshot.write(losses)
    snapshot.write(opensAt)
    snapshot.write(credential)
    snapshot.write(attempts)
    snapshot.write(charges)
    snapshot.write(taken)
    snapshot.write(freeMemories)
    snapshot.write(generation)
    snapshot.write(changed)
    snapshot.write(alarm)
    snapshot.write(troubles)
    snapshot.write(acceptedEra)
  }
}

extension Node.Taken {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      cpuMillis: snapshot.read(),
      memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(cpuMillis)
    snapshot.write(memory)
  }
}

extension NodeFacts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("address", address)
    json.field("cpuMillis", cpuMillis)
    json.field("memory", memory)
    json.field("devices", devices)
    json.closeObject()
  }
}

extension NodeFacts {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let address = reader.field("address", String.self),
      let cpuMillis = reader.field("cpuMillis", Int.self),
      let memory = reader.field("memory", Bytes.self),
      let devices = reader.field("devices", [DeviceFacts].self),
      reader.close()
    else { return nil }
    self.init(address: address, cpuMillis: cpuMillis, memory: memory, devices: devices)
  }
}

extension NodeFacts {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      address: snapshot.read(),
      cpuMillis: snapshot.read(),
      memory: snapshot.read(),
      devices: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(address)
    snapshot.write(cpuMillis)
    snapshot.write(memory)
    snapshot.write(devices)
  }
}

extension DeviceFacts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("model", model)
    json.field("memory", memory)
    json.closeObject()
  }
}

extension DeviceFacts {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", String.self),
      let model = reader.field("model", String.self),
      let memory = reader.field("memory", Bytes.self),
      reader.close()
    else { return nil }
    self.init(id: id, model: model, memory: memory)
  }
}

extension DeviceFacts {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      model: snapshot.read(),
      memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(model)
    snapshot.write(memory)
  }
}

extension NodeMark {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      node: snapshot.read(),
      position: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(node)
    snapshot.write(position)
  }
}

extension NodeJoined {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.field("facts", facts)
    json.closeObject()
  }
}

extension NodeJoined {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let credential = reader.field("credential", Digest.self),
      let facts = reader.field("facts", NodeFacts.self),
      reader.close()
    else { return nil }
    self.init(name: name, credential: credential, facts: facts)
  }
}

extension NodeCordoned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeCordoned {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension NodeUncordoned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeUncordoned {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension NodeLost {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("silentSeconds", silentSeconds)
    json.closeObject()
  }
}

extension NodeLost {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let silentSeconds = reader.field("silentSeconds", Int.self),
      reader.close()
    else { return nil }
    self.init(silentSeconds: silentSeconds)
  }
}

extension NodeReturned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeReturned {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension NodeReported {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("bootID", bootID)
    json.field("incarnation", incarnation)
    json.optional("facts", facts)
    json.field("attempts", attempts)
    json.closeObject()
  }
}

extension NodeReported {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let bootID = reader.field("bootID", String.self),
      let incarnation = reader.field("incarnation", String.self),
      let facts = reader.optional("facts", NodeFacts.self),
      let attempts = reader.field("attempts", [AttemptChange].self),
      reader.close()
    else { return nil }
    self.init(bootID: bootID, incarnation: incarnation, facts: facts, attempts: attempts)
  }
}

extension NodeRemoved {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("poweredOff", poweredOff)
    json.closeObject()
  }
}

extension NodeRemoved {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let poweredOff = reader.field("poweredOff", Bool.self),
      reader.close()
    else { return nil }
    self.init(poweredOff: poweredOff)
  }
}
