// One statement parameter in PostgreSQL's binary format, with its type spelled out.

/// A typed value on its way to the server: an OID, and bytes or NULL.
///
/// It describes itself by type and size only: values never reach a message.
package struct Parameter: Sendable, Hashable {
  package let oid: UInt32
  /// nil is NULL.
  package let bytes: [UInt8]?

  package init(oid: UInt32, bytes: [UInt8]?) {
    self.oid = oid
    self.bytes = bytes
  }

  package init<Value: PostgresEncodable>(_ value: Value) { self = value.postgresParameter }

  package static func null(_ oid: UInt32) -> Parameter { Parameter(oid: oid, bytes: nil) }
}

extension Parameter: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    "\(PostgresType.describe(oid)) (\(bytes.map { "\($0.count) bytes" } ?? "null"))"
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["value": description]) }
}

// Types that a Swift type does not stand for by itself.
extension Parameter {
  package static func json(_ text: String) -> Parameter {
    Parameter(oid: PostgresType.json, bytes: Array(text.utf8))
  }

  /// JSON text that is UTF-8 already.
  package static func json(bytes: [UInt8]) -> Parameter {
    Parameter(oid: PostgresType.json, bytes: bytes)
  }

  /// `json[]` from JSON texts.
  package static func json(_ texts: [String]) -> Parameter {
    strings(texts, oid: PostgresType.jsonArray, elementOID: PostgresType.json)
  }

  /// `json[]` from JSON texts that are UTF-8 already, such as slices of one buffer.
  package static func jsonBytes(_ texts: [some Collection<UInt8>]) -> Parameter {
    byteStrings(texts, oid: PostgresType.jsonArray, elementOID: PostgresType.json)
  }

  /// `text[]` from UTF-8, without making strings of it.
  package static func textBytes(_ texts: [some Collection<UInt8>]) -> Parameter {
    byteStrings(texts, oid: PostgresType.textArray, elementOID: PostgresType.text)
  }

  /// `bytea[]` from slices.
  package static func byteaSlices(_ values: [some Collection<UInt8>]) -> Parameter {
    byteStrings(values, oid: PostgresType.byteaArray, elementOID: PostgresType.bytea)
  }

  static func strings(_ texts: [String], oid: UInt32, elementOID: UInt32) -> Parameter {
    ArrayEncoding.variable(texts, oid: oid, elementOID: elementOID, size: { $0.utf8.count }) {
      text, target in
      ArrayEncoding.copy(text.utf8, to: target)
    }
  }

  private static func byteStrings<Bytes: Collection<UInt8>>(
    _ values: [Bytes], oid: UInt32, elementOID: UInt32
  ) -> Parameter {
    ArrayEncoding.variable(values, oid: oid, elementOID: elementOID, size: { $0.count }) {
      value, target in
      ArrayEncoding.copy(value, to: target)
    }
  }
}
