// The JSON form of each basic value: written in one place, used by events, commands and replies.
// Conformance to Codable of our own values goes through a string or a number, so any coder does.

extension String: JSONReadable, JSONWritable {
  package init(json: JSONValue) throws(JSONProblem) { self = try json.string() }
  package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONReadable, JSONWritable {
  package init(json: JSONValue) throws(JSONProblem) { self = try json.boolean() }
  package func write(to json: inout JSONWriter) { json.boolean(self) }
}

extension Int: JSONReadable, JSONWritable {
  package init(json: JSONValue) throws(JSONProblem) { self = Int(try json.integer()) }
  package func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int64: JSONReadable, JSONWritable {
  package init(json: JSONValue) throws(JSONProblem) { self = try json.integer() }
  package func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Double: JSONReadable, JSONWritable {
  package init(json: JSONValue) throws(JSONProblem) { self = try json.number() }
  package func write(to json: inout JSONWriter) { json.number(self) }
}

extension Array: JSONWritable where Element: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openList()
    for element in self { element.write(to: &json) }
    json.closeList()
  }
}

/// In the order of the keys: a dictionary's own order differs from process to process.
extension Dictionary: JSONWritable where Key == String, Value: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    for (key, value) in sorted(by: { $0.key < $1.key }) {
      json.key(key)
      value.write(to: &json)
    }
    json.closeObject()
  }
}

extension Position: JSONCoded {
  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(Int64.self))
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }

  package init(json: JSONValue) throws(JSONProblem) {
    let value = try json.integer()
    guard value >= 0 else { throw JSONProblem("a position is never negative") }
    self.init(value)
  }
  package func write(to json: inout JSONWriter) { json.integer(value) }
}

/// A value whose JSON form is a string that may turn out malformed.
package protocol JSONText: JSONCoded {
  init(jsonText: String) throws(Malformed)
  var jsonText: String { get }
}

extension JSONText {
  package init(json: JSONValue) throws(JSONProblem) {
    let text = try json.string()
    do { try self.init(jsonText: text) } catch { throw JSONProblem(error.description) }
  }
  package func write(to json: inout JSONWriter) { json.string(jsonText) }

  package init(from decoder: any Decoder) throws {
    try self.init(jsonText: decoder.singleValueContainer().decode(String.self))
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(jsonText)
  }
}

extension Name: JSONText {
  package init(jsonText: String) throws(Malformed) { try self.init(jsonText) }
  package var jsonText: String { text }
}

extension Text: JSONText {
  /// Stored events are read with it; what comes in from outside is looked at whole, by `CommandCall`.
  package init(jsonText: String) throws(Malformed) { try self.init(stored: jsonText) }
  package var jsonText: String { value }
}

extension Timestamp: JSONText {
  package init(jsonText: String) throws(Malformed) {
    guard let value = Timestamp(jsonText) else {
      throw Malformed(
        "'\(jsonText.shortened(to: 40))' is no date: write 2025-05-01 or 2025-05-01T10:30:00Z")
    }
    self = value
  }
  package var jsonText: String { description }
}

extension Digest: JSONText {
  package init(jsonText: String) throws(Malformed) {
    guard let value = Digest(jsonText) else {
      throw Malformed("a digest is written as 64 hexadecimal digits")
    }
    self = value
  }
  package var jsonText: String { description }
}

extension ID: JSONText {
  package init(jsonText: String) throws(Malformed) {
    guard let value = Self(jsonText) else {
      throw Malformed("'\(jsonText.shortened(to: 40))' is no id of a \(Of.kind.rawValue)")
    }
    self = value
  }
  package var jsonText: String { description }
}

extension JSONReadable where Self: RawRepresentable & CaseIterable, RawValue == String {
  package init(json: JSONValue) throws(JSONProblem) {
    let text = try json.string()
    guard let value = Self(rawValue: text) else {
      let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw JSONProblem("'\(text.shortened(to: 40))' is not one of: \(known)")
    }
    self = value
  }
}

extension JSONWritable where Self: RawRepresentable, RawValue == String {
  package func write(to json: inout JSONWriter) { json.string(rawValue) }
}
