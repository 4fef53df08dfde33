// Written by `swift run wharf-records` from the fields in Erasure.swift; not changed by hand.

extension PersonForgotten {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension PersonForgotten {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension PersonErased {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("snapshots", snapshots)
    json.closeObject()
  }
}

extension PersonErased {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let snapshots = reader.field("snapshots", Int.self),
      reader.close()
    else { return nil }
    self.init(snapshots: snapshots)
  }
}

extension ForgetPerson {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("person", person)
    json.closeObject()
  }
}

extension NoteErasure {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("persons", persons)
    json.field("snapshots", snapshots)
    json.closeObject()
  }
}
