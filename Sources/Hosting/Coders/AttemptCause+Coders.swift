// Written by `swift run wharf-records` from the fields in AttemptCause.swift; not changed by hand.

extension WeightsFound {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("wanted", wanted)
    json.field("found", found)
    json.closeObject()
  }
}

extension WeightsFound {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let wanted = reader.field("wanted", Digest.self),
      let found = reader.field("found", Digest.self),
      reader.close()
    else { return nil }
    self.init(wanted: wanted, found: found)
  }
}
