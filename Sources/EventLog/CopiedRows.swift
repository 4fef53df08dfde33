// The rows of a batch as data of one COPY: one autocommit statement, which fails whole when any position
// is taken. Written row by row, so that a batch that waits for its turn is ready when it comes.

import Hosting
import Postgres

package struct CopiedRows: Sendable {
  /// What a row takes besides its texts, about.
  private static let expectedRowBytes = 640

  private var writer: CopyRowWriter
  package private(set) var count = 0

  package init(expectedRows: Int) {
    writer = CopyRowWriter(expectedBytes: expectedRows * Self.expectedRowBytes)
  }

  /// The whole of it.
  package var data: [UInt8] {
    var ended = writer
    ended.end()
    return ended.bytes
  }

  package mutating func add(_ rows: ArraySlice<StoredEvent>) {
    for row in rows { add(row) }
  }

  private mutating func add(_ row: StoredEvent) {
    count += 1
    writer.row(fields: 13)
    writer.field(row.position.value)
    writer.field(row.stream.description)
    writer.field(row.type)
    writer.field(Int16(row.schemaVersion))
    writer.field(row.data)
    writer.field(row.metadata)
    row.commandID.withBytes { writer.field($0) }
    if let commandHash = row.commandHash {
      commandHash.withBytes { writer.field($0) }
    } else {
      writer.null()
    }
    row.correlationID.withBytes { writer.field($0) }
    if let causation = row.causation { writer.field(causation.value) } else { writer.null() }
    writer.field(row.actor.description)
    writer.field(PostgresTimestamp(microsecondsSinceUnixEpoch: row.recordedAt.microseconds))
    row.hash.withBytes { writer.field($0) }
  }
}
