// How stored events outlive the form they were stored in. A type's form changes by a new version: an
// upcaster makes the next version's JSON of the one before, and what was stored is never rewritten.

/// Makes of a stored event's fields those of its type's next version. Pure.
package struct Upcaster: Sendable {
  private let change: @Sendable (inout JSONFields) throws(JSONProblem) -> Void

  package init(_ change: @escaping @Sendable (inout JSONFields) throws(JSONProblem) -> Void) {
    self.change = change
  }

  package func callAsFunction(_ data: [UInt8]) throws(JSONProblem) -> [UInt8] {
    var fields = try JSONFields(data)
    try change(&fields)
    return fields.bytes
  }
}

/// The fields of one JSON object, in order, to be changed by name.
package struct JSONFields: Sendable {
  private var fields: [(key: String, text: [UInt8])]

  package init(_ document: [UInt8]) throws(JSONProblem) {
    fields = try JSONValue(document: document).fields().map { ($0.key, $0.value.text) }
  }

  /// The exact text, as `JSONRecord.jsonBytes` would write it.
  package var bytes: [UInt8] {
    var json = JSONWriter()
    json.openObject()
    for (key, text) in fields {
      json.key(key)
      json.raw(text)
    }
    json.closeObject()
    return json.bytes
  }

  package subscript(key: String) -> JSONValue? {
    get throws(JSONProblem) {
      guard let field = fields.first(where: { $0.key == key }) else { return nil }
      return try JSONValue(document: field.text)
    }
  }

  /// Sets a field where it stands, or adds it as the last.
  package mutating func set(_ key: String, to value: some JSONWritable) {
    var json = JSONWriter()
    value.write(to: &json)
    if let index = fields.firstIndex(where: { $0.key == key }) {
      fields[index].text = json.bytes
    } else {
      fields.append((key, json.bytes))
    }
  }

  package mutating func rename(_ key: String, to new: String) throws(JSONProblem) {
    guard let index = fields.firstIndex(where: { $0.key == key }) else {
      throw JSONProblem("the field is missing", at: key)
    }
    fields[index].key = new
  }

  package mutating func remove(_ key: String) { fields.removeAll { $0.key == key } }
}
