// Written by `swift run wharf-records` from the fields in Deployment.swift; not changed by hand.

extension Deployment {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      model: snapshot.read(),
      version: snapshot.read(),
      workload: snapshot.read(),
      wanted: snapshot.read(),
      exclusive: snapshot.read(),
      createdAt: snapshot.read(),
      heldReplicas: snapshot.read(),
      lastNumber: snapshot.read(),
      deletedAt: snapshot.read(),
      unplaced: snapshot.read(),
      heldPlaces: snapshot.read(),
      charged: snapshot.read(),
      ready: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(model)
    snapshot.write(version)
    snapshot.write(workload)
    snapshot.write(wanted)
    snapshot.write(exclusive)
    snapshot.write(createdAt)
    snapshot.write(heldReplicas)
    snapshot.write(lastNumber)
    snapshot.write(deletedAt)
    snapshot.write(unplaced)
    snapshot.write(heldPlaces)
    snapshot.write(charged)
    snapshot.write(ready)
  }
}

extension Line {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      provider: snapshot.read(),
      workload: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(provider)
    snapshot.write(workload)
  }
}

extension DeploymentCreated {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("model", model)
    json.field("version", version)
    json.field("workload", workload)
    json.field("replicas", replicas)
    json.field("exclusive", exclusive)
    json.closeObject()
  }
}

extension DeploymentCreated {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let model = reader.field("model", ID<Model>.self),
      let version = reader.field("version", Name.self),
      let workload = reader.field("workload", Workload.self),
      let replicas = reader.field("replicas", Int.self),
      let exclusive = reader.field("exclusive", Bool.self),
      reader.close()
    else { return nil }
    self.init(
      name: name,
      model: model,
      version: version,
      workload: workload,
      replicas: replicas,
      exclusive: exclusive)
  }
}

extension DeploymentScaled {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.closeObject()
  }
}

extension DeploymentScaled {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replicas = reader.field("replicas", Int.self),
      reader.close()
    else { return nil }
    self.init(replicas: replicas)
  }
}

extension DeploymentDeleted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension DeploymentDeleted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let leaving = reader.optional("leaving", Bool.self),
      reader.close()
    else { return nil }
    self.init(leaving: leaving)
  }
}

extension ReplicasPlaced {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("placements", placements)
    json.closeObject()
  }
}

extension ReplicasPlaced {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let placements = reader.field("placements", [Placement].self),
      reader.close()
    else { return nil }
    self.init(placements: placements)
  }
}

extension Placement {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replica", replica)
    json.field("node", node)
    json.field("devices", devices)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension Placement {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replica = reader.field("replica", Int.self),
      let node = reader.field("node", ID<Node>.self),
      let devices = reader.field("devices", [String].self),
      let reason = reader.field("reason", String.self),
      reader.close()
    else { return nil }
    self.init(replica: replica, node: node, devices: devices, reason: reason)
  }
}

extension ReplicasWaiting {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension ReplicasWaiting {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", WaitingReason.self),
      reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason)
  }
}

extension ReplicasRemoved {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension ReplicasRemoved {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", String.self),
      let leaving = reader.optional("leaving", Bool.self),
      reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason, leaving: leaving)
  }
}

extension AttemptsStopped {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension AttemptsStopped {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", WaitingReason.self),
      reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason)
  }
}

extension AttemptsDismissed {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("attempts", attempts)
    json.optional("enforced", enforced)
    json.closeObject()
  }
}

extension AttemptsDismissed {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let attempts = reader.field("attempts", [AttemptID].self),
      let enforced = reader.optional("enforced", Position.self),
      reader.close()
    else { return nil }
    self.init(attempts: attempts, enforced: enforced)
  }
}
