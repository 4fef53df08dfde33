// Written by `swift run wharf-records` from the fields in HeadWitness.swift; not changed by hand.

extension HeadWitness {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("era", era)
    json.field("position", position)
    json.field("hash", hash)
    json.closeObject()
  }
}

extension HeadWitness {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let era = reader.field("era", Position.self),
      let position = reader.field("position", Position.self),
      let hash = reader.field("hash", Digest.self),
      reader.close()
    else { return nil }
    self.init(era: era, position: position, hash: hash)
  }
}
