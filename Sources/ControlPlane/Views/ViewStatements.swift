// The SQL of the views. Rows travel as one array a column, so a batch costs one statement a table,
// however many rows it has.

import EventLog
import Hosting
import Migrations
import Postgres

/// The form of the views: which tables this program makes, and how it fills them.
package enum ViewForm {
  /// Raised when rows come out otherwise from the same log: then views are made anew.
  private static let revision = 4

  package static let digest = Digest(
    sha256Of: Array("\(revision)\n\(Migrations.views.sql)".utf8))
}

package struct ViewStatements: Sendable {
  package static let schema = "views"
  package static let nextSchema = "views_next"
  /// Schemas that were swapped out and could not be dropped yet start so.
  package static let retiredPrefix = "views_retired_"

  /// At most this many rows in one statement.
  private static let rowsPerStatementLimit = 5_000

  let schema: String

  package init(schema: String = Self.schema) { self.schema = schema }

  private func qualified(_ table: String) -> String {
    "\(Query.quoted(identifier: schema)).\(Query.quoted(identifier: table))"
  }

  /// Everything that these changes write: the checkpoint first, which must move exactly one row, then
  /// the rows. All of it belongs into one transaction.
  package func statements(for changes: ViewChanges) -> (checkpoint: Query, rows: [Query]) {
    var rows = inserts(changes.timeline, into: ViewRows.timeline)
    for table in ViewRows.tables {
      if let keys = changes.deletes[table] { rows += deletes(keys, from: table) }
      if let upserts = changes.upserts[table] { rows += self.upserts(upserts, into: table) }
    }
    return (move(from: changes.from, to: changes.to), rows)
  }

  /// Moves the checkpoint, if it is where it is thought to be, in tables of our form. Whoever comes
  /// second finds no row: two projectors never both apply.
  ///
  /// It also lets the transaction commit without waiting for the disk. A crash may then take away the
  /// last transactions, checkpoint and rows alike, and the projector makes them anew; the log they came
  /// from was on disk before anyone could read it.
  package func move(from: ViewCheckpoint, to: ViewCheckpoint) -> Query {
    Query(
      """
      UPDATE \(qualified("checkpoint")) AS c SET position = $1, hash = $2, recorded_at = $3
      FROM (SELECT set_config('synchronous_commit', 'off', true)) AS durability(setting)
      WHERE c.position = $4 AND c.hash = $5 AND c.form = $6 RETURNING durability.setting
      """,
      [
        Parameter(to.position.value), Parameter(to.hash.bytes),
        Parameter(to.recordedAt?.forPostgres), Parameter(from.position.value),
        Parameter(from.hash.bytes), Parameter(ViewForm.digest.bytes),
      ])
  }

  /// Declares freshly filled tables to be views at a position.
  func begin(at checkpoint: ViewCheckpoint) -> Query {
    Query(
      """
      UPDATE \(qualified("checkpoint")) SET position = $1, hash = $2, recorded_at = $3, form = $4
      """,
      [
        Parameter(checkpoint.position.value), Parameter(checkpoint.hash.bytes),
        Parameter(checkpoint.recordedAt?.forPostgres), Parameter(ViewForm.digest.bytes),
      ])
  }

  func checkpoint() -> Query {
    Query("SELECT position, hash, recorded_at, form FROM \(qualified("checkpoint"))", [])
  }

  var exists: Query { "SELECT to_regclass(\(qualified("checkpoint"))) IS NOT NULL" }
}

// Rows.
extension ViewStatements {
  /// For rows that cannot be there yet.
  func inserts(_ rows: [ViewRow], into table: ViewTable) -> [Query] {
    Self.chunks(rows).map { rows in
      Query(insert(table), Self.parameters(rows, table.columns[...]))
    }
  }

  func upserts(_ rows: [ViewRow], into table: ViewTable) -> [Query] {
    let changed = table.columns[table.keyCount...].map { column in
      let name = Query.quoted(identifier: column.name)
      return "\(name) = excluded.\(name)"
    }
    let sql = """
      \(insert(table)) ON CONFLICT (\(Self.names(table.keyColumns))) DO UPDATE SET \
      \(changed.joined(separator: ", "))
      """
    return Self.chunks(rows).map { Query(sql, Self.parameters($0, table.columns[...])) }
  }

  func deletes(_ keys: [ViewKey], from table: ViewTable) -> [Query] {
    let arrays = table.keyColumns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
    let columns = table.keyColumns.indices.map { "k\($0)" }
    let same = zip(table.keyColumns, columns).map { column, key in
      "t.\(Query.quoted(identifier: column.name)) = gone.\(key)"
    }
    let sql = """
      DELETE FROM \(qualified(table.name)) AS t \
      USING unnest(\(arrays)) AS gone(\(columns.joined(separator: ", "))) \
      WHERE \(same.joined(separator: " AND "))
      """
    return Self.chunks(keys).map { Query(sql, Self.parameters($0, table.keyColumns)) }
  }

  private func insert(_ table: ViewTable) -> String {
    let arrays = table.columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
    let columns = table.columns.indices.map { "c\($0)" }
    // An array of arrays would be taken apart to the last value, so lists travel as their text.
    let values = zip(table.columns, columns).map { column, name in
      column.type == .texts ? "\(name)::text[]" : name
    }
    return """
      INSERT INTO \(qualified(table.name)) (\(Self.names(table.columns[...]))) \
      SELECT \(values.joined(separator: ", ")) \
      FROM unnest(\(arrays)) AS r(\(columns.joined(separator: ", ")))
      """
  }

  private static func names(_ columns: ArraySlice<ViewTable.Column>) -> String {
    columns.map { Query.quoted(identifier: $0.name) }.joined(separator: ", ")
  }

  private static func chunks(_ rows: [[Cell]]) -> [[[Cell]]] {
    stride(from: 0, to: rows.count, by: rowsPerStatementLimit).map { start in
      Array(rows[start..<min(start + rowsPerStatementLimit, rows.count)])
    }
  }

  /// One array a column.
  private static func parameters(
    _ rows: [[Cell]], _ columns: ArraySlice<ViewTable.Column>
  ) -> [Parameter] {
    columns.enumerated().map { index, column in
      switch column.type {
      case .text, .texts: Parameter(rows.map { $0[index].asText })
      case .integer: Parameter(rows.map { $0[index].asInteger })
      case .flag: Parameter(rows.map { $0[index].asFlag })
      case .time: Parameter(rows.map { $0[index].asTime })
      case .uuid: Parameter(rows.map { $0[index].asUUID })
      }
    }
  }
}

extension Timestamp {
  var forPostgres: PostgresTimestamp {
    PostgresTimestamp(microsecondsSinceUnixEpoch: microseconds)
  }
}

// A cell as its column's type; another one is a fault in the table's fields.
extension Cell {
  fileprivate var asText: String? {
    switch self {
    case .null: nil
    case .text(let text): text
    case .texts(let texts): Self.arrayText(texts)
    case .integer, .flag, .time, .uuid: preconditionFailure("\(self) is no text")
    }
  }

  fileprivate var asInteger: Int64? {
    switch self {
    case .null: nil
    case .integer(let number): number
    case .text, .texts, .flag, .time, .uuid: preconditionFailure("\(self) is no number")
    }
  }

  fileprivate var asFlag: Bool? {
    switch self {
    case .null: nil
    case .flag(let flag): flag
    case .text, .texts, .integer, .time, .uuid: preconditionFailure("\(self) is no flag")
    }
  }

  fileprivate var asTime: PostgresTimestamp? {
    switch self {
    case .null: nil
    case .time(let time): time.forPostgres
    case .text, .texts, .integer, .flag, .uuid: preconditionFailure("\(self) is no time")
    }
  }

  fileprivate var asUUID: PostgresUUID? {
    switch self {
    case .null: nil
    case .uuid(let bytes): PostgresUUID(bytes: bytes)
    case .text, .texts, .integer, .flag, .time: preconditionFailure("\(self) is no UUID")
    }
  }

  /// `{"a","b \"c\""}`
  private static func arrayText(_ texts: [String]) -> String {
    let quoted = texts.map { text in
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    return "{\(quoted.joined(separator: ","))}"
  }
}
