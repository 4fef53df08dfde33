// Rows in the format of COPY … (FORMAT binary).
//
// signature (11 bytes) · int32 flags · int32 n · n bytes of extension · then per row int16 fields and
// per field int32 length (-1: NULL) · bytes; at the end int16 -1. It does not say the columns' types.

/// One row of binary COPY data; its fields are read in order.
package struct CopyRow {
  private var reader: ByteReader
  private let sql: String
  package let columnCount: Int
  private var column = 0

  fileprivate init(reader: ByteReader, columnCount: Int, sql: String) {
    self.reader = reader
    self.columnCount = columnCount
    self.sql = sql
  }

  /// The next field's bytes without a copy, valid as long as the row; nil for NULL.
  package mutating func nextBytes() throws(PostgresError) -> UnsafeRawBufferPointer? {
    precondition(column < columnCount, "no such column")
    column += 1
    guard let field = reader.field() else { throw malformed("the row is cut short") }
    return field.bytes
  }

  /// The next field as `Value`, whose own type the column must have: `int8` for Int, `int4` for Int32,
  /// text, json and varchar alike for String and `[UInt8]`.
  package mutating func next<Value: PostgresDecodable & PostgresEncodable>(
    _ type: Value.Type
  ) throws(PostgresError) -> Value {
    let bytes = try nextBytes()
    do throws(CellError) {
      return try Value(Cell(oid: Value.postgresOID, bytes: bytes))
    } catch {
      switch error {
      case .null: throw malformed("\(type) was asked for, but it is NULL")
      case .wrongType: throw malformed("\(type) was asked for, but it is not an array")
      case .malformed(let reason): throw malformed("\(type) was asked for, but \(reason)")
      }
    }
  }

  private func malformed(_ why: String) -> PostgresError {
    PostgresError(.decoding, "column \(column - 1): \(why)", attempted: PostgresError.preview(sql))
  }
}

/// Parts the data of `Connection.copyOut` into rows.
package struct CopyRowReader {
  static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0]
  private let sql: String
  private var isPastHeader = false

  package init(sql: String) { self.sql = sql }

  /// - Parameter data: one piece as the server sent it: PostgreSQL sends each row as one.
  /// - Returns: nil for the trailer.
  package mutating func row(_ data: UnsafeRawBufferPointer) throws(PostgresError) -> CopyRow? {
    var reader = ByteReader(data)
    if !isPastHeader {
      try skipHeader(&reader)
      isPastHeader = true
    }
    guard let columns = reader.integer(Int16.self) else {
      throw malformed("a row is cut short")
    }
    if columns == -1 { return nil }
    guard columns >= 0 else { throw malformed("a row has \(columns) fields") }
    return CopyRow(reader: reader, columnCount: Int(columns), sql: sql)
  }

  private func skipHeader(_ reader: inout ByteReader) throws(PostgresError) {
    guard let signature = reader.take(Self.signature.count),
      signature.elementsEqual(Self.signature), reader.integer(UInt32.self) != nil,
      let extensionBytes = reader.integer(Int32.self), reader.take(Int(extensionBytes)) != nil
    else { throw malformed("it does not start like COPY in FORMAT binary") }
  }

  private func malformed(_ why: String) -> PostgresError {
    PostgresError(.decoding, why, attempted: PostgresError.preview(sql))
  }
}
