// A row of log.events as an event: of a result, or of binary COPY data. On every reader's hot path, so
// the bytes are taken as they are; a column that does not look like its type is explained.

import Hosting
import Postgres

extension StoredEvent {
  /// - Throws: `unreadable`, at the row's position.
  package init(_ row: borrowing Row) throws(LogError) {
    var column = -1
    let row = copy row
    defer { extendLifetime(row) }
    try self.init { () throws(PostgresError) in
      column += 1
      return row.unsafeBytes(at: column)
    }
  }

  init(_ row: inout CopyRow) throws(LogError) {
    try self.init { () throws(PostgresError) in try row.nextBytes() }
  }

  /// - Parameter next: the bytes of the next column, in the order of `LogStatements.columns`; nil for
  ///   NULL.
  private init(
    _ next: () throws(PostgresError) -> UnsafeRawBufferPointer?
  ) throws(LogError) {
    var position: Int64 = 0
    do throws(PostgresError) { try self.init(next, &position) } catch {
      throw .unreadable(position: Position(max(position, 0)), reason: error.message)
    }
  }

  private init(
    _ next: () throws(PostgresError) -> UnsafeRawBufferPointer?, _ position: inout Int64
  ) throws(PostgresError) {
    position = try Self.integer(next(), Int64.self, "position")
    guard position > 0 else { throw Self.unfit("position") }
    let stream = Stream(ascii: try Self.bytes(next(), "stream").assumingMemoryBound(to: UInt8.self))
    guard let stream else { throw Self.unfit("stream") }
    let type = try Self.bytes(next(), "type")
    guard let type = String(validating: type, as: UTF8.self) else { throw Self.unfit("type") }
    let schemaVersion = try Self.integer(next(), Int16.self, "schema_version")
    let data = [UInt8](try Self.bytes(next(), "data"))
    let metadata = [UInt8](try Self.bytes(next(), "metadata"))
    let commandID = CommandID(raw: try Self.bytes(next(), "command_id", count: 16))
    var commandHash: Digest?
    if let bytes = try next() {
      commandHash = Digest(raw: try Self.bytes(bytes, "command_hash", count: 32))
    }
    let correlationID = CommandID(raw: try Self.bytes(next(), "correlation_id", count: 16))
    var causation: Position?
    if let bytes = try next() {
      let value = try Self.integer(bytes, Int64.self, "causation")
      guard value >= 0 else { throw Self.unfit("causation") }
      causation = Position(value)
    }
    let actor = Actor(ascii: try Self.bytes(next(), "actor").assumingMemoryBound(to: UInt8.self))
    guard let actor else { throw Self.unfit("actor") }
    let recordedAt = PostgresTimestamp(
      microsecondsSince2000: try Self.integer(next(), Int64.self, "recorded_at"))
    self.init(
      position: Position(position), stream: stream, type: type,
      schemaVersion: Int(schemaVersion), data: data, metadata: metadata, commandID: commandID,
      commandHash: commandHash, correlationID: correlationID, causation: causation, actor: actor,
      recordedAt: Timestamp(microseconds: recordedAt.microsecondsSinceUnixEpoch),
      hash: Digest(raw: try Self.bytes(next(), "hash", count: 32)))
  }

  private static func bytes(
    _ bytes: UnsafeRawBufferPointer?, _ column: StaticString, count: Int? = nil
  ) throws(PostgresError) -> UnsafeRawBufferPointer {
    guard let bytes, count == nil || bytes.count == count else { throw unfit(column) }
    return bytes
  }

  private static func integer<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer?, _ type: Value.Type, _ column: StaticString
  ) throws(PostgresError) -> Value {
    let bytes = try Self.bytes(bytes, column, count: MemoryLayout<Value>.size)
    return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
  }

  private static func unfit(_ column: StaticString) -> PostgresError {
    PostgresError(
      .decoding, "column \"\(column)\" is not of its form", attempted: "read a row of log.events")
  }
}
