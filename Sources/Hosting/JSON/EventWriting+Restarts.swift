// Events of restarts and troubles as JSON text, as the others in EventWriting.

extension WeightsFound: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("wanted", wanted)
    json.field("found", found)
    json.closeObject()
  }
}

extension RequestCounts: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("asked", asked)
    json.field("gaveUp", gaveUp)
    json.closeObject()
  }
}

extension ReplicasRestarted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("cause", cause)
    json.optional("requests", requests)
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension NodeTroubled: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("troubles", troubles)
    json.closeObject()
  }
}
