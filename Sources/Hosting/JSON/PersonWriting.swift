// What is recorded of persons and their tokens, as JSON text; see EventWriting.

extension PersonInvited: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("email", email)
    json.field("role", role)
    json.field("invitation", invitation)
    json.field("until", until)
    json.closeObject()
  }
}

extension PersonTokenIssued: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("prefix", prefix)
    json.optional("name", name)
    json.optional("until", until)
    json.closeObject()
  }
}

extension PersonTokenEnded: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("cause", cause)
    json.closeObject()
  }
}

extension PersonDisabled: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension PersonForgotten: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension PersonErased: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("snapshots", snapshots)
    json.closeObject()
  }
}
