// Strict JSON reading for events and commands, hand-written because it is on the fold's hot path:
// a document is scanned once, values are slices of its bytes, and a path is built only for an error.
// Stricter than RFC 8259 where doubt costs more than it gives: duplicate keys, unknown fields and
// numbers that are no 64-bit integers are refused.

/// Why a document does not fit, and where in it.
package struct JSONProblem: Error, Hashable, CustomStringConvertible {
  /// As `with.devices[2].memory`; empty for the whole document.
  package let path: String
  package let reason: String
  /// What else is wrong with the same document.
  private let others: [JSONProblem]

  package init(_ reason: String, at path: String = "") {
    self.init(reason, at: path, others: [])
  }

  private init(_ reason: String, at path: String, others: [JSONProblem]) {
    self.path = path
    self.reason = reason
    self.others = others
  }

  /// Several as one; none of none.
  init?(_ all: [JSONProblem]) {
    guard let first = all.first else { return nil }
    self.init(first.reason, at: first.path, others: Array(all.dropFirst()))
  }

  /// Each by itself, in the order in which they are told.
  package var all: [JSONProblem] { [JSONProblem(reason, at: path)] + others }

  func inside(_ key: String) -> JSONProblem {
    JSONProblem(
      reason, at: path.isEmpty ? key : path.hasPrefix("[") ? key + path : "\(key).\(path)",
      others: others.map { $0.inside(key) })
  }

  package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}

/// One value of a document that was scanned and is well-formed.
package struct JSONValue: Sendable {
  /// How deep arrays and objects may nest.
  package static let deepest = 32

  let bytes: [UInt8]
  let range: Range<Int>

  package init(document: [UInt8]) throws(JSONProblem) {
    var scan = JSONScan(bytes: document)
    self = try scan.document()
  }

  init(bytes: [UInt8], range: Range<Int>) {
    self.bytes = bytes
    self.range = range
  }

  private var first: UInt8 { bytes[range.lowerBound] }

  package var isNull: Bool { first == UInt8(ascii: "n") }

  package var isObject: Bool { first == UInt8(ascii: "{") }

  /// The exact text of the value in its document.
  package var text: [UInt8] { Array(bytes[range]) }

  var kindInWords: String {
    switch first {
    case UInt8(ascii: "\""): "a string"
    case UInt8(ascii: "{"): "an object"
    case UInt8(ascii: "["): "a list"
    case UInt8(ascii: "t"), UInt8(ascii: "f"): "true or false"
    case UInt8(ascii: "n"): "null"
    default: "a number"
    }
  }

  /// How the problem begins that something else stands where a string should.
  package static let expectedString = "expected a string"

  package func string() throws(JSONProblem) -> String {
    guard first == UInt8(ascii: "\"") else {
      throw JSONProblem("\(Self.expectedString), found \(kindInWords)")
    }
    return JSONScan.unescape(bytes[range.lowerBound + 1..<range.upperBound - 1])
  }

  package func integer() throws(JSONProblem) -> Int64 {
    guard first == UInt8(ascii: "-") || (48...57).contains(first) else {
      throw JSONProblem("expected a whole number, found \(kindInWords)")
    }
    var value: Int64 = 0
    let negative = first == UInt8(ascii: "-")
    for byte in bytes[(negative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound] {
      guard (48...57).contains(byte) else {
        throw JSONProblem("expected a whole number, found \(String(decoding: text, as: UTF8.self))")
      }
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let digit = Int64(byte - 48)
      let (sum, past) =
        negative
        ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      guard !over, !past else { throw JSONProblem("the number is too large") }
      value = sum
    }
    return value
  }

  package func number() throws(JSONProblem) -> Double {
    guard first == UInt8(ascii: "-") || (48...57).contains(first),
      let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
    else { throw JSONProblem("expected a number, found \(kindInWords)") }
    return value
  }

  package func boolean() throws(JSONProblem) -> Bool {
    switch first {
    case UInt8(ascii: "t"): return true
    case UInt8(ascii: "f"): return false
    default: throw JSONProblem("expected true or false, found \(kindInWords)")
    }
  }

  /// The values of a list, in order.
  package func list() throws(JSONProblem) -> [JSONValue] {
    guard first == UInt8(ascii: "[") else {
      throw JSONProblem("expected a list, found \(kindInWords)")
    }
    var scan = JSONScan(bytes: bytes, index: range.lowerBound)
    return scan.children().map(\.value)
  }

  /// The fields of an object, in order, keys decoded.
  package func fields() throws(JSONProblem) -> [(key: String, value: JSONValue)] {
    guard first == UInt8(ascii: "{") else {
      throw JSONProblem("expected an object, found \(kindInWords)")
    }
    var scan = JSONScan(bytes: bytes, index: range.lowerBound)
    return scan.children().map { ($0.key, $0.value) }
  }
}
