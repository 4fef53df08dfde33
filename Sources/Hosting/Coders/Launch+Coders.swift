// Written by `swift run wharf-records` from the fields in Launch.swift; not changed by hand.

extension Launch {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("engine", engine)
    json.field("command", command)
    json.field("environment", environment)
    json.field("readiness", readiness)
    json.field("stopGraceSeconds", stopGraceSeconds)
    json.optional("liveness", liveness)
    json.optional("waits", waits)
    json.closeObject()
  }
}

extension Launch {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let engine = reader.field("engine", Name.self),
      let command = reader.field("command", [String].self),
      let environment = reader.field("environment", [String: String].self),
      let readiness = reader.field("readiness", Readiness.self),
      let stopGraceSeconds = reader.field("stopGraceSeconds", Int.self),
      let liveness = reader.optional("liveness", Liveness.self),
      let waits = reader.optional("waits", Waits.self),
      reader.close()
    else { return nil }
    self.init(
      engine: engine,
      command: command,
      environment: environment,
      readiness: readiness,
      stopGraceSeconds: stopGraceSeconds,
      liveness: liveness,
      waits: waits)
  }
}

extension Launch {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      engine: snapshot.read(),
      command: snapshot.read(),
      environment: snapshot.read(),
      readiness: snapshot.read(),
      stopGraceSeconds: snapshot.read(),
      liveness: snapshot.read(),
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

extension Launch.Readiness {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("path", path)
    json.field("listsModel", listsModel)
    json.field("periodMilliseconds", periodMilliseconds)
    json.field("deadlineSeconds", deadlineSeconds)
    json.closeObject()
  }
}

extension Launch.Readiness {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let path = reader.field("path", String.self),
      let listsModel = reader.field("listsModel", Bool.self),
      let periodMilliseconds = reader.field("periodMilliseconds", Int.self),
      let deadlineSeconds = reader.field("deadlineSeconds", Int.self),
      reader.close()
    else { return nil }
    self.init(
      path: path,
      listsModel: listsModel,
      periodMilliseconds: periodMilliseconds,
      deadlineSeconds: deadlineSeconds)
  }
}

extension Launch.Readiness {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      path: snapshot.read(),
      listsModel: snapshot.read(),
      periodMilliseconds: snapshot.read(),
      deadlineSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(listsModel)
    snapshot.write(periodMilliseconds)
    snapshot.write(deadlineSeconds)
  }
}
