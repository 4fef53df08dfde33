// How values become JSON and back. Records (events, commands, replies) rely on the compiler's
// Codable and the coder beside this file; values with a form of their own say it in JSONCoding.

/// What is read from a JSON value by itself.
package protocol JSONReadable {
  init(json: JSONValue) throws(JSONProblem)
}

/// What is written as a JSON value by itself, always with the same bytes for the same value.
package protocol JSONWritable {
  func write(to json: inout JSONWriter)
}

package typealias JSONCoded = JSONReadable & JSONWritable & Codable

/// An object whose fields are the type's properties, in their order.
package protocol JSONRecord: Codable {
  /// The exact text as it is stored, hashed and sent.
  var jsonBytes: [UInt8] { get }
}

/// Who writes itself is written so without being asked for it at run time, which costs more than the
/// writing.
extension JSONRecord where Self: JSONWritable {
  package var jsonBytes: [UInt8] {
    var json = JSONWriter()
    write(to: &json)
    return json.bytes
  }
}

extension JSONRecord {
  package var jsonBytes: [UInt8] { JSONEncoding.bytes(of: self) }

  /// Reads a record; a field that the type does not have is refused.
  package init(jsonBytes: [UInt8]) throws(JSONProblem) {
    self = try JSONDecoding.read(Self.self, from: JSONValue(document: jsonBytes), strict: true)
  }
}
