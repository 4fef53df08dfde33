// What a statement returned. libpq's results do not change once made, so they may go anywhere.

import CLibPQ

/// The rows of one result, in memory. Frees them with its last reference.
package final class Rows: RandomAccessCollection, @unchecked Sendable {
  // `@unchecked`: libpq documents that a PGresult may be read from any thread once it is complete.
  private let raw: OpaquePointer
  private let sql: String
  package let count: Int
  package let columnCount: Int

  /// Takes ownership of `raw`.
  init(owning raw: OpaquePointer, sql: String) {
    self.raw = raw
    self.sql = sql
    count = Int(PQntuples(raw))
    columnCount = Int(PQnfields(raw))
  }

  deinit { PQclear(raw) }

  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(index: Int) -> Row {
    precondition(index >= 0 && index < count, "no such row")
    return Row(rows: self, index: Int32(truncatingIfNeeded: index))
  }

  /// Rows that the statement inserted, updated, deleted or returned.
  package var affectedRows: Int { Int(String(cString: PQcmdTuples(raw))) ?? 0 }

  package func columnName(_ column: Int) -> String {
    PQfname(raw, Int32(column)).map { String(cString: $0) } ?? "column \(column)"
  }

  fileprivate func cell(_ row: Int32, _ column: Int) -> Cell {
    precondition(column >= 0 && column < columnCount, "no such column")
    let column = Int32(truncatingIfNeeded: column)
    let oid = PQftype(raw, column)
    guard PQgetisnull(raw, row, column) == 0 else { return Cell(oid: oid, bytes: nil) }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(raw, row, column), count: Int(PQgetlength(raw, row, column)))
    return Cell(oid: oid, bytes: bytes)
  }

  fileprivate func explain(
    _ error: CellError, _ cell: Cell, _ column: Int, as wanted: String, readable: String
  ) -> PostgresError {
    let found = PostgresType.describe(cell.oid)
    let why =
      switch error {
      case .null: "it is NULL"
      case .wrongType: "it is \(found)"
      case .malformed(let reason): "it is \(found), but \(reason)"
      }
    return PostgresError(
      .decoding,
      "column \(column) \"\(columnName(column))\" was asked for as \(wanted) (\(readable)): \(why)",
      attempted: PostgresError.preview(sql))
  }
}

extension Rows: CustomStringConvertible {
  package var description: String { "\(count) rows of \(columnCount) columns" }
}

/// One row of a result; keeps the result alive.
package struct Row: Sendable {
  fileprivate let rows: Rows
  fileprivate let index: Int32

  package var columnCount: Int { rows.columnCount }

  /// - Throws: `decoding`, naming the column, what was asked for and what is there.
  package func decode<Value: PostgresDecodable>(
    _ type: Value.Type, at column: Int
  ) throws(PostgresError) -> Value {
    let cell = rows.cell(index, column)
    defer { extendLifetime(rows) }
    do throws(CellError) {
      return try Value(cell)
    } catch {
      throw rows.explain(error, cell, column, as: "\(type)", readable: Value.postgresReadable)
    }
  }

  /// The value as whatever the context asks for: `let name: String = try row[0]`.
  package subscript<Value: PostgresDecodable>(column: Int) -> Value {
    get throws(PostgresError) { try decode(Value.self, at: column) }
  }

  package func isNull(at column: Int) -> Bool { rows.cell(index, column).bytes == nil }

  /// The value's bytes in binary format without a copy, whatever the type; nil for NULL. Valid as long
  /// as the caller keeps the row: see `extendLifetime`.
  package func unsafeBytes(at column: Int) -> UnsafeRawBufferPointer? {
    rows.cell(index, column).bytes
  }

  /// The value's bytes in binary format without a copy, whatever the type; nil for NULL.
  package func withBytes<Result, Failure: Error>(
    at column: Int, _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { extendLifetime(rows) }
    return try body(rows.cell(index, column).bytes)
  }
}
