// The basic values by the short way; see CanonicalReader.

extension String: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let text = reader.text() else { return nil }
    self = text
  }
}

extension Bool: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.boolean() else { return nil }
    self = value
  }
}

extension Int: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.integer() else { return nil }
    self = Int(value)
  }
}

extension Array: CanonicallyRead where Element: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let values = reader.list(of: Element.self) else { return nil }
    self = values
  }
}

extension Int64: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.integer() else { return nil }
    self = value
  }
}

/// Its keys stand in their order, each once.
extension Dictionary: CanonicallyRead where Key == String, Value: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let fields = reader.fields(of: Value.self) else { return nil }
    self.init(uniqueKeysWithValues: fields)
  }
}

extension Position: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.integer(), value >= 0 else { return nil }
    self.init(value)
  }
}

extension Bytes: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.integer(), value >= 0 else { return nil }
    self.init(count: value)
  }
}

extension Name: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let text = reader.text(), let name = try? Name(text) else { return nil }
    self = name
  }
}

extension Text: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.text(), let text = try? Text(value) else { return nil }
    self = text
  }
}

extension Email: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let value = reader.text(), let email = try? Email(value) else { return nil }
    self = email
  }
}

extension Digest: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let text = reader.text(), let digest = Digest(text) else { return nil }
    self = digest
  }
}

extension Timestamp: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let ascii = reader.ascii(), let moment = Timestamp(canonical: ascii) else { return nil }
    self = moment
  }
}

extension ID: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let ascii = reader.ascii(), let stream = Stream(ascii: ascii), stream.kind == Of.kind,
      stream.origin != .empty
    else { return nil }
    self.init(stream.origin)
  }
}

extension Stream: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let ascii = reader.ascii(), let stream = Stream(ascii: ascii) else { return nil }
    self = stream
  }
}

extension AttemptID: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let text = reader.text(), let id = try? AttemptID(jsonText: text) else { return nil }
    self = id
  }
}

extension CanonicallyRead where Self: RawRepresentable, RawValue == String {
  package init?(canonical reader: inout CanonicalReader) {
    guard let text = reader.text(), let value = Self(rawValue: text) else { return nil }
    self = value
  }
}

extension Workload: CanonicallyRead {}
extension Audience: CanonicallyRead {}
extension Stage: CanonicallyRead {}
extension ModelTask: CanonicallyRead {}
extension Role: CanonicallyRead {}
extension WaitingReason: CanonicallyRead {}
extension AttemptPhase: CanonicallyRead {}
extension StopOrder: CanonicallyRead {}
extension AttemptCause: CanonicallyRead {}
extension EndCause: CanonicallyRead {}
extension RestartCause: CanonicallyRead {}
extension Mistrust: CanonicallyRead {}
extension NodeTrouble: CanonicallyRead {}
extension GatewayStopped.Cause: CanonicallyRead {}
extension EndedGrant.Cause: CanonicallyRead {}
