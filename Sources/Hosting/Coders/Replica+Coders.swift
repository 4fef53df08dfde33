// Written by `swift run wharf-records` from the fields in Replica.swift; not changed by hand.

extension Replica {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      madeAt: snapshot.read(),
      attempt: snapshot.read(),
      node: snapshot.read(),
      waiting: snapshot.read(),
      waitingSince: snapshot.read(),
      failures: snapshot.read(),
      lastFailure: snapshot.read(),
      lastFailedAt: snapshot.read(),
      lastFailedOn: snapshot.read(),
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

extension Attempt {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      node: snapshot.read(),
      devices: snapshot.read(),
      needs: snapshot.read(),
      version: snapshot.read(),
      placedAt: snapshot.read(),
      phase: snapshot.read(),
      phaseSince: snapshot.read(),
      endpoint: snapshot.read(),
      pid: snapshot.read(),
      reason: snapshot.read(),
      cause: snapshot.read(),
      readyAt: snapshot.read(),
      leaving: snapshot.read(),
      stopping: snapshot.read(),
      stopReason: snapshot.read(),
      stoppingSince: snapshot.read())
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

extension Attempt.Leaving {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      position: snapshot.read(),
      since: snapshot.read(),
      reason: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(since)
    snapshot.write(reason)
  }
}

extension ObservedAttempt {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("phase", phase)
    json.optional("pid", pid)
    json.optional("endpoint", endpoint)
    json.optional("exitCode", exitCode)
    json.optional("exitSignal", exitSignal)
    json.optional("reason", reason)
    json.optional("ordered", ordered)
    json.optional("cause", cause)
    json.optional("device", device)
    json.optional("weights", weights)
    json.closeObject()
  }
}

extension ObservedAttempt {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", AttemptID.self),
      let phase = reader.field("phase", AttemptPhase.self),
      let pid = reader.optional("pid", Int.self),
      let endpoint = reader.optional("endpoint", String.self),
      let exitCode = reader.optional("exitCode", Int.self),
      let exitSignal = reader.optional("exitSignal", Int.self),
      let reason = reader.optional("reason", String.self),
      let ordered = reader.optional("ordered", StopOrder.self),
      let cause = reader.optional("cause", AttemptCause.self),
      let device = reader.optional("device", String.self),
      let weights = reader.optional("weights", WeightsFound.self),
      reader.close()
    else { return nil }
    self.init(
      id: id,
      phase: phase,
      pid: pid,
      endpoint: endpoint,
      exitCode: exitCode,
      exitSignal: exitSignal,
      reason: reason,
      ordered: ordered,
      cause: cause,
      device: device,
      weights: weights)
  }
}

extension AttemptChange {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("phase", phase)
    json.optional("pid", pid)
    json.optional("endpoint", endpoint)
    json.optional("exitCode", exitCode)
    json.optional("exitSignal", exitSignal)
    json.optional("reason", reason)
    json.optional("ordered", ordered)
    json.optional("cause", cause)
    json.optional("device", device)
    json.optional("weights", weights)
    json.closeObject()
  }
}

extension AttemptChange {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let id = reader.field("id", AttemptID.self),
      let phase = reader.field("phase", AttemptPhase.self),
      let pid = reader.optional("pid", Int.self),
      let endpoint = reader.optional("endpoint", String.self),
      let exitCode = reader.optional("exitCode", Int.self),
      let exitSignal = reader.optional("exitSignal", Int.self),
      let reason = reader.optional("reason", String.self),
      let ordered = reader.optional("ordered", StopOrder.self),
      let cause = reader.optional("cause", AttemptCause.self),
      let device = reader.optional("device", String.self),
      let weights = reader.optional("weights", WeightsFound.self),
      reader.close()
    else { return nil }
    self.init(
      id: id,
      phase: phase,
      pid: pid,
      endpoint: endpoint,
      exitCode: exitCode,
      exitSignal: exitSignal,
      reason: reason,
      ordered: ordered,
      cause: cause,
      device: device,
      weights: weights)
  }
}
