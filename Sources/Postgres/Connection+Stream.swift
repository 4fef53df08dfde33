// Reading more rows than one wants in memory: row by row, or as COPY data, which is fastest.

import CLibPQ

extension Connection {
  /// Runs a statement and hands over its rows as they arrive.
  ///
  /// The timeout bounds each pause, not the whole. When `body` throws, the statement is cancelled and
  /// the connection stays usable. A failure may come after some rows have been handed over.
  package mutating func forEachRow(
    _ query: Query, timeout: Duration? = nil, _ body: (borrowing Row) throws -> Void
  ) throws {
    try send(query, timeout: timeout, isStream: true)
    if PQsetSingleRowMode(handle.raw) == 0 { throw failToSend() }
    while let raw = try nextResult() {
      let rows = Rows(owning: raw, sql: query.sql)
      switch PQresultStatus(raw) {
      case PGRES_SINGLE_TUPLE:
        do { try body(rows[0]) } catch {
          abandon()
          throw error
        }
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
      default: _ = try finish(after: serverError(raw))
      }
    }
    try settle(nil)
  }

  /// Runs `COPY … TO STDOUT` and hands over each piece of data as the server sent it: one row, the
  /// first with the file's header before it, see `CopyRowReader`.
  ///
  /// - Parameter sql: takes no parameters, as COPY does not; `FORMAT binary` reads fastest.
  package mutating func copyOut(
    _ sql: String, timeout: Duration? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try begin(sql, timeout: timeout, isStream: true)
    if PQsendQuery(handle.raw, sql) == 0 { throw failToSend() }
    try flush()
    while let raw = try nextResult() {
      let result = Rows(owning: raw, sql: sql)
      switch PQresultStatus(raw) {
      case PGRES_COPY_OUT:
        do {
          while let data = try nextCopyData() { try body(data.bytes) }
        } catch {
          abandon()
          throw error
        }
      case PGRES_COMMAND_OK: break
      case PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
        _ = try finish()
        throw PostgresError(
          .unexpectedResult, "the statement is not a COPY … TO STDOUT",
          attempted: PostgresError.preview(sql))
      default: _ = try finish(after: serverError(raw))
      }
      extendLifetime(result)
    }
    try settle(nil)
  }

  /// Runs `COPY … TO STDOUT (FORMAT binary)` and hands over its rows.
  package mutating func copyOutRows(
    _ sql: String, timeout: Duration? = nil, _ body: (inout CopyRow) throws -> Void
  ) throws {
    var reader = CopyRowReader(sql: sql)
    try copyOut(sql, timeout: timeout) { data in
      guard var row = try reader.row(data) else { return }
      try body(&row)
    }
  }
}

/// One piece of COPY data, which libpq allocated and this frees.
struct CopyData: ~Copyable {
  let bytes: UnsafeRawBufferPointer

  fileprivate init(owning start: UnsafeMutablePointer<CChar>, count: Int) {
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit { PQfreemem(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
}

extension Connection {
  /// The next piece; nil once there are no more, or the connection died, which the next result tells.
  mutating func nextCopyData() throws(PostgresError) -> CopyData? {
    try noticeCancellation()
    while true {
      var start: UnsafeMutablePointer<CChar>?
      let count = PQgetCopyData(handle.raw, &start, 1)
      if count > 0, let start { return CopyData(owning: start, count: Int(count)) }
      if count < 0 || PQstatus(handle.raw) == CONNECTION_BAD { return nil }
      let outcome = try wait(forWriting: false)
      if outcome.isReadable, PQconsumeInput(handle.raw) == 0 { return nil }
    }
  }
}
