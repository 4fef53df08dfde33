// Written by `swift run wharf-records` from the fields in FormatLevel.swift; not changed by hand.

extension FormatLevelRaised {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("level", level)
    json.closeObject()
  }
}

extension FormatLevelRaised {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let level = reader.field("level", Int.self),
      reader.close()
    else { return nil }
    self.init(level: level)
  }
}

extension FormatReader {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("formatLevel", formatLevel)
    json.closeObject()
  }
}

extension RaiseFormatLevel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("level", level)
    json.field("readers", readers)
    json.closeObject()
  }
}
