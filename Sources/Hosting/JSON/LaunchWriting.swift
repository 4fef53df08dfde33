// A launch as JSON text, as events and commands hold it; see EventWriting.

extension Launch: JSONWritable {
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

extension Launch.Liveness: JSONWritable {
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

extension Launch.Liveness.Request: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("path", path)
    json.field("body", body)
    json.field("timeoutSeconds", timeoutSeconds)
    json.closeObject()
  }
}

extension Launch.Waits: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("firstByteSeconds", firstByteSeconds)
    json.field("idleSeconds", idleSeconds)
    json.field("wholeSeconds", wholeSeconds)
    json.closeObject()
  }
}

extension Launch.Readiness: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("path", path)
    json.field("listsModel", listsModel)
    json.field("periodMilliseconds", periodMilliseconds)
    json.field("deadlineSeconds", deadlineSeconds)
    json.closeObject()
  }
}
