// Reading and moving the views' checkpoint, and the rows with it, over one connection.

import EventLog
import Hosting
import Postgres

/// What stands in a checkpoint.
package enum ViewStanding: Equatable, Sendable {
  /// No tables, tables of another form, or tables that are still being filled.
  case unusable
  case at(ViewCheckpoint)
}

package struct ViewStore: Sendable {
  package let statements: ViewStatements
  /// Tests stop a projector after any of its statements. Told how many of a transaction were run; the
  /// commit is the last.
  package var afterStatement: @Sendable (Int) throws -> Void = { _ in }

  package init(schema: String = ViewStatements.schema) {
    statements = ViewStatements(schema: schema)
  }

  package func standing(_ connection: inout Connection) throws -> ViewStanding {
    guard try connection.query(statements.exists)[0].decode(Bool.self, at: 0) else {
      return .unusable
    }
    let rows = try connection.query(statements.checkpoint())
    guard let row = rows.first, try row.decode([UInt8]?.self, at: 3) == ViewForm.digest.bytes else {
      return .unusable
    }
    let time = try row.decode(PostgresTimestamp?.self, at: 2)
    let (position, hash) = (try row.decode(Int64.self, at: 0), try row.decode([UInt8].self, at: 1))
    // Someone changed it by hand.
    guard position >= 0, hash.count == Digest.byteCount else { return .unusable }
    return .at(
      ViewCheckpoint(
        position: Position(position), hash: Digest(bytes: hash),
        recordedAt: time.map { Timestamp(microseconds: $0.microsecondsSinceUnixEpoch) }))
  }

  /// Writes changes and moves the checkpoint, all or nothing.
  ///
  /// - Throws: `Fenced` when the checkpoint is not where the changes start.
  package func apply(_ changes: ViewChanges, _ connection: inout Connection) throws {
    var count = 0
    try connection.transaction { connection in
      try write(changes, &connection, &count)
    }
    try afterStatement(count + 1)
  }

  /// The same within a transaction of the caller.
  func write(
    _ changes: ViewChanges, _ connection: inout Connection, _ count: inout Int
  ) throws {
    let (checkpoint, rows) = statements.statements(for: changes)
    guard try connection.execute(checkpoint) == 1 else {
      throw Fenced(position: changes.from.position)
    }
    for query in rows {
      count += 1
      try afterStatement(count)
      try connection.execute(query)
    }
    count += 1
    try afterStatement(count)
  }
}

/// Someone else moved the checkpoint: another projector, or a rebuild.
package struct Fenced: Error, CustomStringConvertible {
  let position: Position

  package var description: String {
    "the views are no longer at position \(position): another projector or a rebuild moved them"
  }
}
