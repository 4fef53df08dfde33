// Feeding `COPY … FROM STDIN`: many rows in one autocommit statement, for the least work of the
// server, which puts them into the table page by page instead of row by row.

import CLibPQ

extension Connection {
  /// Starts `COPY … FROM STDIN`; `sendCopyData` must follow.
  ///
  /// The server is asked first whether it wants the data, which takes a round trip, and as long as
  /// whoever locks the table.
  ///
  /// - Parameter sql: takes no parameters, as COPY does not.
  package mutating func sendCopyIn(
    _ sql: String, timeout: Duration? = nil
  ) throws(PostgresError) {
    try begin(sql, timeout: timeout)
    if PQsendQuery(handle.raw, sql) == 0 { throw failToSend() }
    try flush()
  }

  /// Hands over all of the data once the server wants it; `receive` must follow, and tells whether the
  /// rows are in.
  ///
  /// - Parameter data: the whole file, see `CopyRowWriter`.
  package mutating func sendCopyData(_ data: [UInt8]) throws(PostgresError) {
    guard let sql = running?.sql else { throw brokenError("send rows") }
    guard let raw = try nextResult() else {
      _ = try finish()
      throw PostgresError(
        .unexpectedResult, "the server sent no result", attempted: PostgresError.preview(sql))
    }
    let result = Rows(owning: raw, sql: sql)
    switch PQresultStatus(raw) {
    case PGRES_COPY_IN: break
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
      _ = try finish()
      throw PostgresError(
        .unexpectedResult, "the statement is not a COPY … FROM STDIN",
        attempted: PostgresError.preview(sql))
    default:
      _ = try finish(after: serverError(raw))
    }
    extendLifetime(result)
    // Until the end of the data is there the server stores nothing of it.
    running?.isSent = false
    let taken = data.withUnsafeBytes { bytes in
      PQputCopyData(
        handle.raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
    }
    guard taken == 1, PQputCopyEnd(handle.raw, nil) == 1 else { throw failToSend() }
    try flush()
  }
}

/// The data of `COPY … FROM STDIN (FORMAT binary)`; see CopyRow.swift for the format.
package struct CopyRowWriter {
  package private(set) var bytes: [UInt8]

  /// - Parameter expectedBytes: what the rows are about to take.
  package init(expectedBytes: Int) {
    bytes = []
    bytes.reserveCapacity(expectedBytes + CopyRowReader.signature.count + 10)
    bytes.append(contentsOf: CopyRowReader.signature)
    put(Int32(0))
    put(Int32(0))
  }

  package mutating func row(fields: Int) { put(Int16(fields)) }

  package mutating func null() { put(Int32(-1)) }

  package mutating func field(_ value: UnsafeRawBufferPointer) {
    put(Int32(value.count))
    bytes.append(contentsOf: value)
  }

  package mutating func field(_ value: [UInt8]) { value.withUnsafeBytes { field($0) } }

  package mutating func field(_ value: String) {
    var value = value
    value.withUTF8 { field(UnsafeRawBufferPointer($0)) }
  }

  package mutating func field(_ value: some FixedWidthInteger) {
    put(Int32(value.bitWidth / 8))
    put(value)
  }

  package mutating func field(_ value: PostgresTimestamp) { field(value.microsecondsSince2000) }

  /// No more rows.
  package mutating func end() { put(Int16(-1)) }

  private mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
