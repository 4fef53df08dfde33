// Nodes, deployments, replicas and attempts in a snapshot, as the nouns beside them.

extension Node: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), status: snapshot.read(), facts: snapshot.read(),
      bootID: snapshot.read(), incarnation: snapshot.read(), cordoned: snapshot.read(),
      missing: snapshot.read(), joinedAt: snapshot.read(), lostAt: snapshot.read(),
      returnedAt: snapshot.read(),
      losses: snapshot.read(), opensAt: snapshot.read(), credential: snapshot.read(),
      attempts: snapshot.read(), charges: snapshot.read(), taken: snapshot.read(),
      freeMemories: snapshot.read(), generation: snapshot.read(), alarm: snapshot.read(),
      troubles: snapshot.read(), acceptedEra: snapshot.read())
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
    snapshot.write(alarm)
    snapshot.write(troubles)
    snapshot.write(acceptedEra)
  }
}

extension Node.Taken: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      cpuMillis: snapshot.read(), memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(cpuMillis)
    snapshot.write(memory)
  }
}

extension NodeFacts: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      address: snapshot.read(), cpuMillis: snapshot.read(), memory: snapshot.read(),
      devices: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(address)
    snapshot.write(cpuMillis)
    snapshot.write(memory)
    snapshot.write(devices)
  }
}

extension DeviceFacts: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), model: snapshot.read(), memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(model)
    snapshot.write(memory)
  }
}

extension Deployment: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), model: snapshot.read(), version: snapshot.read(),
      workload: snapshot.read(), wanted: snapshot.read(), exclusive: snapshot.read(),
      createdAt: snapshot.read(), replicas: snapshot.read(), lastNumber: snapshot.read(),
      deletedAt: snapshot.read(), unplaced: snapshot.read(), placedOn: snapshot.read(),
      charged: snapshot.read())
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
    snapshot.write(replicas)
    snapshot.write(lastNumber)
    snapshot.write(deletedAt)
    snapshot.write(unplaced)
    snapshot.write(placedOn)
    snapshot.write(charged)
  }
}

extension Line: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      provider: snapshot.read(), workload: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(provider)
    snapshot.write(workload)
  }
}

extension Replica: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), madeAt: snapshot.read(), attempt: snapshot.read(), node: snapshot.read(),
      waiting: snapshot.read(), waitingSince: snapshot.read(), failures: snapshot.read(),
      lastFailure: snapshot.read(), lastFailedAt: snapshot.read(), lastFailedOn: snapshot.read(),
      lastFailed: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(madeAt)
    snapshot.write(attempt)
    snapshot.write(node)
    snapshot.write(waiting)
    snapshot.write(waitingSince)
    snapshot.write(failures)
    snapshot.write(lastFailure)
    snapshot.write(lastFailedAt)
    snapshot.write(lastFailedOn)
    snapshot.write(lastFailed)
  }
}

extension Attempt: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), node: snapshot.read(), devices: snapshot.read(), needs: snapshot.read(),
      version: snapshot.read(), placedAt: snapshot.read(), phase: snapshot.read(),
      phaseSince: snapshot.read(), endpoint: snapshot.read(), pid: snapshot.read(),
      reason: snapshot.read(),
      cause: snapshot.read(), readyAt: snapshot.read(), leaving: snapshot.read(),
      stopping: snapshot.read(),
      stopReason: snapshot.read(), stoppingSince: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(node)
    snapshot.write(devices)
    snapshot.write(needs)
    snapshot.write(version)
    snapshot.write(placedAt)
    snapshot.write(phase)
    snapshot.write(phaseSince)
    snapshot.write(endpoint)
    snapshot.write(pid)
    snapshot.write(reason)
    snapshot.write(cause)
    snapshot.write(readyAt)
    snapshot.write(leaving)
    snapshot.write(stopping)
    snapshot.write(stopReason)
    snapshot.write(stoppingSince)
  }
}

extension Attempt.Leaving: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(position: snapshot.read(), since: snapshot.read(), reason: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(since)
    snapshot.write(reason)
  }
}
