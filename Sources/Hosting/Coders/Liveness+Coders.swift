// Written by `swift run wharf-records` from the fields in Liveness.swift; not changed by hand.

extension Launch.Liveness {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("path", path)
    json.field("periodSeconds", periodSeconds)
    json.field("failures", failures)
    json.field("graceSeconds", graceSeconds)
    json.optional("request", request)
    json.closeObject()
  }
}

extension Launch.Liveness {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let path = reader.optional("path", String.self),
      let periodSeconds = reader.field("periodSeconds", Int.self),
      let failures = reader.field("failures", Int.self),
      let graceSeconds = reader.field("graceSeconds", Int.self),
      let request = reader.optional("request", Request.self),
      reader.close()
    else { return nil }
    self.init(
      path: path,
      periodSeconds: periodSeconds,
      failures: failures,
      graceSeconds: graceSeconds,
      request: request)
  }
}

extension Launch.Liveness {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      path: snapshot.read(),
      periodSeconds: snapshot.read(),
      failures: snapshot.read(),
      graceSeconds: snapshot.read(),
      request: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(periodSeconds)
    snapshot.write(failures)
    snapshot.write(graceSeconds)
    snapshot.write(request)
  }
}

extension Launch.Waits {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("firstByteSeconds", firstByteSeconds)
    json.field("idleSeconds", idleSeconds)
    json.field("wholeSeconds", wholeSeconds)
    json.closeObject()
  }
}

extension Launch.Waits {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let firstByteSeconds = reader.field("firstByteSeconds", Int.self),
      let idleSeconds = reader.field("idleSeconds", Int.self),
      let wholeSeconds = reader.field("wholeSeconds", Int.self),
      reader.close()
    else { return nil }
    self.init(
      firstByteSeconds: firstByteSeconds,
      idleSeconds: idleSeconds,
      wholeSeconds: wholeSeconds)
  }
}

extension Launch.Waits {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      firstByteSeconds: snapshot.read(),
      idleSeconds: snapshot.read(),
      wholeSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(firstByteSeconds)
    snapshot.write(idleSeconds)
    snapshot.write(wholeSeconds)
  }
}

extension Launch.Liveness.Request {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("path", path)
    json.field("body", body)
    json.field("timeoutSeconds", timeoutSeconds)
    json.closeObject()
  }
}

extension Launch.Liveness.Request {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let path = reader.field("path", String.self),
      let body = reader.field("body", String.self),
      let timeoutSeconds = reader.field("timeoutSeconds", Int.self),
      reader.close()
    else { return nil }
    self.init(path: path, body: body, timeoutSeconds: timeoutSeconds)
  }
}

extension Launch.Liveness.Request {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      path: snapshot.read(),
      body: snapshot.read(),
      timeoutSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(path)
    snapshot.write(body)
    snapshot.write(timeoutSeconds)
  }
}
