// Values of a result as Swift values. Only lossless readings are allowed: `int4` as Int, not
// `int8` as Int32.

/// One value of a result: its type and its bytes in binary format.
package struct Cell {
  package let oid: UInt32
  /// nil is NULL. Valid only while the row is.
  package let bytes: UnsafeRawBufferPointer?

  package init(oid: UInt32, bytes: UnsafeRawBufferPointer?) {
    self.oid = oid
    self.bytes = bytes
  }
}

/// Why a cell is not what was asked for; never holds the value.
package enum CellError: Error, Sendable, Hashable {
  case null
  case wrongType
  case malformed(String)
}

package protocol PostgresDecodable {
  /// What it reads, for messages: `int2, int4 or int8`.
  static var postgresReadable: String { get }
  init(_ cell: Cell) throws(CellError)
}

/// A value that can be read as an element of an array; `[UInt8]` is `bytea`.
package protocol PostgresDecodableElement {
  static var postgresReadableArray: String { get }
  static func postgresArray(_ cell: Cell) throws(CellError) -> [Self]
}

/// A value that reads itself from one cell and arrays of itself from `type[]`.
package protocol PostgresDecodableScalar: PostgresDecodable, PostgresDecodableElement {}

extension PostgresDecodableScalar {
  package static var postgresReadableArray: String { "an array of \(postgresReadable)" }

  package static func postgresArray(_ cell: Cell) throws(CellError) -> [Self] {
    try ArrayDecoding.elements(cell) { (element) throws(CellError) in try Self(element) }
  }
}

extension Cell {
  /// The bytes of a value whose type is one of `oids` and whose size is `size`, if that is fixed.
  func require(_ oids: UInt32..., size: Int? = nil) throws(CellError) -> UnsafeRawBufferPointer {
    guard oids.contains(oid) else { throw .wrongType }
    return try sized(size)
  }

  func sized(_ size: Int?) throws(CellError) -> UnsafeRawBufferPointer {
    guard let bytes else { throw .null }
    if let size, bytes.count != size {
      throw .malformed("it has \(bytes.count) bytes instead of \(size)")
    }
    return bytes
  }

  func integer<Value: FixedWidthInteger>(_: Value.Type) throws(CellError) -> Value {
    let bytes = try sized(Value.bitWidth / 8)
    return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  package static var postgresReadable: String { "\(Wrapped.postgresReadable) or NULL" }
  package init(_ cell: Cell) throws(CellError) {
    self = cell.bytes == nil ? nil : try Wrapped(cell)
  }
}

extension Optional: PostgresDecodableElement where Wrapped: PostgresDecodableScalar {
  package static var postgresReadableArray: String { "an array of \(postgresReadable)" }
  package static func postgresArray(_ cell: Cell) throws(CellError) -> [Wrapped?] {
    try ArrayDecoding.elements(cell) { (element) throws(CellError) in try Wrapped?(element) }
  }
}

extension Array: PostgresDecodable where Element: PostgresDecodableElement {
  package static var postgresReadable: String { Element.postgresReadableArray }
  package init(_ cell: Cell) throws(CellError) { self = try Element.postgresArray(cell) }
}

// `[UInt8]` is the exact bytes of `bytea`, and of text and JSON for those who parse it themselves.
extension UInt8: PostgresDecodableElement {
  package static var postgresReadableArray: String { "bytea, json or text" }
  package static func postgresArray(_ cell: Cell) throws(CellError) -> [UInt8] {
    let bytes = try cell.require(
      PostgresType.bytea, PostgresType.json, PostgresType.text, PostgresType.varchar)
    return [UInt8](bytes)
  }
}

extension Array: PostgresDecodableElement where Element == UInt8 {
  package static var postgresReadableArray: String { "an array of \(UInt8.postgresReadableArray)" }
  package static func postgresArray(_ cell: Cell) throws(CellError) -> [[UInt8]] {
    try ArrayDecoding.elements(cell) { (element) throws(CellError) in try [UInt8](element) }
  }
}

extension Array: PostgresDecodableScalar where Element == UInt8 {}

extension Int64: PostgresDecodableScalar {
  package static var postgresReadable: String { "int2, int4 or int8" }
  package init(_ cell: Cell) throws(CellError) {
    switch cell.oid {
    case PostgresType.int8: self = try cell.integer(Int64.self)
    case PostgresType.int4: self = Int64(try cell.integer(Int32.self))
    case PostgresType.int2: self = Int64(try cell.integer(Int16.self))
    default: throw .wrongType
    }
  }
}

extension Int: PostgresDecodableScalar {
  package static var postgresReadable: String { Int64.postgresReadable }
  package init(_ cell: Cell) throws(CellError) { self = Int(try Int64(cell)) }
}

extension Int32: PostgresDecodableScalar {
  package static var postgresReadable: String { "int2 or int4" }
  package init(_ cell: Cell) throws(CellError) {
    switch cell.oid {
    case PostgresType.int4: self = try cell.integer(Int32.self)
    case PostgresType.int2: self = Int32(try cell.integer(Int16.self))
    default: throw .wrongType
    }
  }
}

extension Int16: PostgresDecodableScalar {
  package static var postgresReadable: String { "int2" }
  package init(_ cell: Cell) throws(CellError) {
    guard cell.oid == PostgresType.int2 else { throw .wrongType }
    self = try cell.integer(Int16.self)
  }
}

extension Bool: PostgresDecodableScalar {
  package static var postgresReadable: String { "bool" }
  package init(_ cell: Cell) throws(CellError) {
    self = try cell.require(PostgresType.bool, size: 1)[0] != 0
  }
}

extension Double: PostgresDecodableScalar {
  package static var postgresReadable: String { "float4 or float8" }
  package init(_ cell: Cell) throws(CellError) {
    switch cell.oid {
    case PostgresType.float8: self = Double(bitPattern: try cell.integer(UInt64.self))
    case PostgresType.float4: self = Double(Float(bitPattern: try cell.integer(UInt32.self)))
    default: throw .wrongType
    }
  }
}

extension String: PostgresDecodableScalar {
  package static var postgresReadable: String { "text, varchar, name, json, jsonb or an enum" }
  package init(_ cell: Cell) throws(CellError) {
    var bytes: UnsafeRawBufferPointer
    switch cell.oid {
    case PostgresType.text, PostgresType.varchar, PostgresType.json, PostgresType.name,
      PostgresType.bpchar, PostgresType.unknown, PostgresType.firstUserDefined...:
      bytes = try cell.sized(nil)
    case PostgresType.jsonb:
      bytes = try cell.sized(nil)
      guard bytes.first == 1 else { throw .malformed("its jsonb version is not 1") }
      bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    default: throw .wrongType
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed("it is not UTF-8")
    }
    self = text
  }
}

extension PostgresUUID: PostgresDecodableScalar {
  package static var postgresReadable: String { "uuid" }
  package init(_ cell: Cell) throws(CellError) {
    self.init(raw: try cell.require(PostgresType.uuid, size: Self.byteCount))
  }
}

extension PostgresTimestamp: PostgresDecodableScalar {
  package static var postgresReadable: String { "timestamptz" }
  package init(_ cell: Cell) throws(CellError) {
    guard cell.oid == PostgresType.timestamptz else { throw .wrongType }
    self.init(microsecondsSince2000: try cell.integer(Int64.self))
  }
}
