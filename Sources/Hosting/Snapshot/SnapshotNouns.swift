// The nouns of the state in a snapshot, field by field. A field without a value of its own cannot be
// left out: the initializer asks for it. For the others a test compares folds with what is read back,
// and sees to it that every field had more than one value in them.

extension Provider: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), title: snapshot.read(),
      registeredAt: snapshot.read(), suspendedAt: snapshot.read(), agreement: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(title)
    snapshot.write(registeredAt)
    snapshot.write(suspendedAt)
    snapshot.write(agreement)
  }
}

extension Agreement: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), provider: snapshot.read(), signedAt: snapshot.read(),
      terms: snapshot.read(), terminatedAt: snapshot.read(), terminationDate: snapshot.read(),
      ended: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(provider)
    snapshot.write(signedAt)
    snapshot.write(terms)
    snapshot.write(terminatedAt)
    snapshot.write(terminationDate)
    snapshot.write(ended)
  }
}

extension Terms: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      scope: snapshot.read(), audiences: snapshot.read(), from: snapshot.read(),
      until: snapshot.read(), noticeDays: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(scope)
    snapshot.write(audiences)
    snapshot.write(from)
    snapshot.write(until)
    snapshot.write(noticeDays)
  }
}

extension Engine: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), launch: snapshot.read(), tasks: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(launch)
    snapshot.write(tasks)
  }
}

extension Launch: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      engine: snapshot.read(), command: snapshot.read(), environment: snapshot.read(),
      readiness: snapshot.read(), stopGraceSeconds: snapshot.read(), liveness: snapshot.read(),
      waits: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(engine)
    snapshot.write(command)
    snapshot.write(environment)
    snapshot.write(readiness)
    snapshot.write(stopGraceSeconds)
    snapshot.write(liveness)
    snapshot.write(waits)
  }
}

extension Launch.Liveness: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      path: snapshot.read(), periodSeconds: snapshot.read(), failures: snapshot.read(),
      graceSeconds: snapshot.read(), request: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(periodSeconds)
    snapshot.write(failures)
    snapshot.write(graceSeconds)
    snapshot.write(request)
  }
}

extension Launch.Liveness.Request: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(path: snapshot.read(), body: snapshot.read(), timeoutSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(body)
    snapshot.write(timeoutSeconds)
  }
}

extension Launch.Waits: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      firstByteSeconds: snapshot.read(), idleSeconds: snapshot.read(),
      wholeSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(firstByteSeconds)
    snapshot.write(idleSeconds)
    snapshot.write(wholeSeconds)
  }
}

extension Launch.Readiness: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      path: snapshot.read(), listsModel: snapshot.read(), periodMilliseconds: snapshot.read(),
      deadlineSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(listsModel)
    snapshot.write(periodMilliseconds)
    snapshot.write(deadlineSeconds)
  }
}

extension Model: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), provider: snapshot.read(), label: snapshot.read(), task: snapshot.read(),
      contextLength: snapshot.read(), onboardedAt: snapshot.read(), published: snapshot.read(),
      versions: snapshot.read(), aliases: snapshot.read(), deprecatedAt: snapshot.read(),
      retiredAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(provider)
    snapshot.write(label)
    snapshot.write(task)
    snapshot.write(contextLength)
    snapshot.write(onboardedAt)
    snapshot.write(published)
    snapshot.write(versions)
    snapshot.write(aliases)
    snapshot.write(deprecatedAt)
    snapshot.write(retiredAt)
  }
}

extension ModelVersion: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      label: snapshot.read(), addedAt: snapshot.read(), launch: snapshot.read(),
      needs: snapshot.read(), modelPath: snapshot.read(), weights: snapshot.read(),
      arguments: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(label)
    snapshot.write(addedAt)
    snapshot.write(launch)
    snapshot.write(needs)
    snapshot.write(modelPath)
    snapshot.write(weights)
    snapshot.write(arguments)
  }
}

extension Needs: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      devices: snapshot.read(), deviceMemory: snapshot.read(), cpuMillis: snapshot.read(),
      memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(devices)
    snapshot.write(deviceMemory)
    snapshot.write(cpuMillis)
    snapshot.write(memory)
  }
}

extension Team: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), title: snapshot.read(), audience: snapshot.read(),
      registeredAt: snapshot.read(), quota: snapshot.read(), grants: snapshot.read(),
      endedGrants: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(title)
    snapshot.write(audience)
    snapshot.write(registeredAt)
    snapshot.write(quota)
    snapshot.write(grants)
    snapshot.write(endedGrants)
  }
}

extension Quota: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      requestsPerMinute: snapshot.read(), tokensPerMinute: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(requestsPerMinute)
    snapshot.write(tokensPerMinute)
  }
}

extension Grant: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      model: snapshot.read(), workload: snapshot.read(), quota: snapshot.read(),
      until: snapshot.read(), grantedAt: snapshot.read(), position: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(model)
    snapshot.write(workload)
    snapshot.write(quota)
    snapshot.write(until)
    snapshot.write(grantedAt)
    snapshot.write(position)
  }
}

extension EndedGrant: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      cause: snapshot.read(), at: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(cause)
    snapshot.write(at)
  }
}

extension Key: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), team: snapshot.read(), name: snapshot.read(), secret: snapshot.read(),
      prefix: snapshot.read(), issuedAt: snapshot.read(), until: snapshot.read(),
      previous: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(team)
    snapshot.write(name)
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(issuedAt)
    snapshot.write(until)
    snapshot.write(previous)
  }
}

extension Key.Previous: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(), prefix: snapshot.read(), until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(until)
  }
}

extension Person: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), email: snapshot.read(), role: snapshot.read(),
      invitedAt: snapshot.read(), status: snapshot.read(), invitation: snapshot.read(),
      tokens: snapshot.read(), inClear: snapshot.read(), forgotten: snapshot.read(),
      erased: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(email)
    snapshot.write(role)
    snapshot.write(invitedAt)
    snapshot.write(status)
    snapshot.write(invitation)
    snapshot.write(tokens)
    snapshot.write(inClear)
    snapshot.write(forgotten)
    snapshot.write(erased)
  }
}

extension Token: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(), prefix: snapshot.read(), name: snapshot.read(),
      issuedAt: snapshot.read(), until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(name)
    snapshot.write(issuedAt)
    snapshot.write(until)
  }
}

extension JoinToken: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(), prefix: snapshot.read(), issuedAt: snapshot.read(),
      until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(issuedAt)
    snapshot.write(until)
  }
}

extension Endings: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(byDay: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.write(byDay) }
}

extension Gateway: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(), name: snapshot.read(), credential: snapshot.read(),
      registeredAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(credential)
    snapshot.write(registeredAt)
  }
}
