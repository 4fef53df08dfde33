// Written by `swift run wharf-records` from the fields in NodeTrouble.swift; not changed by hand.

extension NodeTroubled {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("troubles", troubles)
    json.closeObject()
  }
}

extension NodeTroubled {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let troubles = reader.field("troubles", [NodeTrouble].self),
      reader.close()
    else { return nil }
    self.init(troubles: troubles)
  }
}
