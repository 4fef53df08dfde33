// Written by `swift run wharf-records` from the fields in NodeTrust.swift; not changed by hand.

extension NodeAlarmed {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("alarm", alarm)
    json.optional("seen", seen)
    json.optional("cause", cause)
    json.closeObject()
  }
}

extension NodeAlarmed {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let alarm = reader.optional("alarm", Text.self),
      let seen = reader.optional("seen", Position.self),
      let cause = reader.optional("cause", Mistrust.self),
      reader.close()
    else { return nil }
    self.init(alarm: alarm, seen: seen, cause: cause)
  }
}

extension EraAccepted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("era", era)
    json.closeObject()
  }
}

extension EraAccepted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let era = reader.field("era", Position.self),
      reader.close()
    else { return nil }
    self.init(era: era)
  }
}

extension RaiseNodeAlarm {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("cause", cause)
    json.optional("seen", seen)
    json.closeObject()
  }
}

extension AcceptEra {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}
