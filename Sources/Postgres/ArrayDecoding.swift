// Reads one-dimensional arrays; the format stands in ArrayEncoding.swift.

enum ArrayDecoding {
  static func elements<Element>(
    _ cell: Cell, _ read: (Cell) throws(CellError) -> Element
  ) throws(CellError) -> [Element] {
    guard let bytes = cell.bytes else { throw .null }
    var reader = ByteReader(bytes)
    guard let dimensions = reader.integer(Int32.self), reader.integer(Int32.self) != nil,
      let elementOID = reader.integer(UInt32.self)
    else { throw .wrongType }
    if dimensions == 0 { return [] }
    guard dimensions == 1 else { throw .malformed("it has \(dimensions) dimensions") }
    guard let count = reader.integer(Int32.self), reader.integer(Int32.self) != nil,
      count >= 0, Int(count) <= bytes.count
    else { throw .malformed("its header is cut short") }
    var elements: [Element] = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let field = reader.field() else { throw .malformed("it is cut short") }
      elements.append(try read(Cell(oid: elementOID, bytes: field.bytes)))
    }
    return elements
  }
}

/// A cursor over bytes in network order; nil once there are too few.
struct ByteReader {
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
    let size = Value.bitWidth / 8
    guard rest.count >= size else { return nil }
    defer { rest = UnsafeRawBufferPointer(rebasing: rest[size...]) }
    return Value(bigEndian: rest.loadUnaligned(as: Value.self))
  }

  mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
    return UnsafeRawBufferPointer(rebasing: rest[..<count])
  }

  struct Field {
    /// nil is NULL.
    let bytes: UnsafeRawBufferPointer?
  }

  /// A length and as many bytes; a length of -1 is NULL.
  mutating func field() -> Field? {
    guard let length = integer(Int32.self) else { return nil }
    if length == -1 { return Field(bytes: nil) }
    guard let bytes = take(Int(length)) else { return nil }
    return Field(bytes: bytes)
  }
}
