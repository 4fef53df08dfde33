// Swift values as statement parameters.

/// A value that can stand in a query as `\(value)`.
package protocol PostgresEncodable {
  /// The type sent for it, also when it is NULL.
  static var postgresOID: UInt32 { get }
  /// nil is NULL.
  var postgresBytes: [UInt8]? { get }
}

extension PostgresEncodable {
  package var postgresParameter: Parameter {
    Parameter(oid: Self.postgresOID, bytes: postgresBytes)
  }
}

/// A value that can be an element of an array parameter. `[UInt8]` is `bytea`, so how an array of
/// elements is sent is the element's to say.
package protocol PostgresElement {
  static var postgresArrayOID: UInt32 { get }
  static func postgresBytes(of elements: [Self]) -> [UInt8]
}

/// A value that is neither NULL nor an array, and knows its size beforehand.
package protocol PostgresScalar: PostgresEncodable, PostgresElement {
  static var postgresScalarArrayOID: UInt32 { get }
  var postgresSize: Int { get }
  /// Fills `target`, which is `postgresSize` bytes long.
  func postgresWrite(to target: UnsafeMutableRawBufferPointer)
}

extension PostgresScalar {
  package var postgresBytes: [UInt8]? {
    let size = postgresSize
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      postgresWrite(to: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: size))
      initialized = size
    }
  }

  package static var postgresArrayOID: UInt32 { postgresScalarArrayOID }

  package static func postgresBytes(of elements: [Self]) -> [UInt8] {
    let parameter = ArrayEncoding.variable(
      elements, oid: postgresArrayOID, elementOID: postgresOID, size: { $0.postgresSize },
      write: { $0.postgresWrite(to: $1) })
    return parameter.bytes ?? []
  }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
  package static var postgresOID: UInt32 { Wrapped.postgresOID }
  package var postgresBytes: [UInt8]? { flatMap { $0.postgresBytes } }
}

extension Optional: PostgresElement where Wrapped: PostgresScalar {
  package static var postgresArrayOID: UInt32 { Wrapped.postgresScalarArrayOID }

  package static func postgresBytes(of elements: [Wrapped?]) -> [UInt8] {
    let parameter = ArrayEncoding.nullable(
      elements, oid: postgresArrayOID, elementOID: Wrapped.postgresOID,
      size: { $0.postgresSize }, write: { $0.postgresWrite(to: $1) })
    return parameter.bytes ?? []
  }
}

extension Array: PostgresEncodable where Element: PostgresElement {
  package static var postgresOID: UInt32 { Element.postgresArrayOID }
  package var postgresBytes: [UInt8]? { Element.postgresBytes(of: self) }
}

// `[UInt8]` is `bytea`, and `[[UInt8]]` is `bytea[]`.
extension UInt8: PostgresElement {
  package static var postgresArrayOID: UInt32 { PostgresType.bytea }
  package static func postgresBytes(of elements: [UInt8]) -> [UInt8] { elements }
}

extension Array: PostgresElement where Element == UInt8 {
  package static var postgresArrayOID: UInt32 { PostgresType.byteaArray }
  package static func postgresBytes(of elements: [[UInt8]]) -> [UInt8] {
    Parameter.byteaSlices(elements).bytes ?? []
  }
}

extension Array: PostgresScalar where Element == UInt8 {
  package static var postgresScalarArrayOID: UInt32 { PostgresType.byteaArray }
  package var postgresSize: Int { count }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    ArrayEncoding.copy(self, to: target)
  }
}

extension PostgresScalar where Self: FixedWidthInteger {
  package var postgresSize: Int { Self.bitWidth / 8 }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    target.storeBytes(of: bigEndian, as: Self.self)
  }
}

extension Int: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.int8 }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.int8Array }
}

extension Int64: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.int8 }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.int8Array }
}

extension Int32: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.int4 }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.int4Array }
}

extension Int16: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.int2 }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.int2Array }
}

extension Bool: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.bool }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.boolArray }
  package var postgresSize: Int { 1 }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    target[0] = self ? 1 : 0
  }
}

extension Double: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.float8 }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.float8Array }
  package var postgresSize: Int { 8 }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    target.storeBytes(of: bitPattern.bigEndian, as: UInt64.self)
  }
}

extension String: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.text }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.textArray }
  package var postgresSize: Int { utf8.count }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    ArrayEncoding.copy(utf8, to: target)
  }
}

extension PostgresUUID: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.uuid }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.uuidArray }
  package var postgresSize: Int { Self.byteCount }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) { write(to: target) }
}

extension PostgresTimestamp: PostgresScalar {
  package static var postgresOID: UInt32 { PostgresType.timestamptz }
  package static var postgresScalarArrayOID: UInt32 { PostgresType.timestamptzArray }
  package var postgresSize: Int { 8 }
  package func postgresWrite(to target: UnsafeMutableRawBufferPointer) {
    target.storeBytes(of: microsecondsSince2000.bigEndian, as: Int64.self)
  }
}
