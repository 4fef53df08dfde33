// Tables as the projector sees them: columns in the order of the database's, each with how it is read
// from a thing, so that a column and its value cannot part.

import Hosting

/// One value of a row.
package enum Cell: Hashable, Sendable {
  case null
  case text(String)
  case integer(Int64)
  case flag(Bool)
  case time(Timestamp)
  case texts([String])
  case uuid([UInt8])
}

package enum CellType: String, Sendable {
  case text
  case integer = "bigint"
  case flag = "boolean"
  case time = "timestamp with time zone"
  case texts = "text[]"
  case uuid
}

/// Values in the order of their table's columns; the first ones are the key.
package typealias ViewRow = [Cell]
package typealias ViewKey = [Cell]

package struct ViewTable: Hashable, Sendable {
  package struct Column: Hashable, Sendable {
    package let name: String
    package let type: CellType
  }

  package let name: String
  package let columns: [Column]
  /// How many of the first columns are the primary key.
  package let keyCount: Int

  package var keyColumns: ArraySlice<Column> { columns[..<keyCount] }

  package func key(of row: ViewRow) -> ViewKey { Array(row[..<keyCount]) }
}

/// A column, and how it is read from a subject.
package struct Field<Subject>: Sendable {
  let column: ViewTable.Column
  let read: @Sendable (Subject) -> Cell

  private init(
    _ name: String, _ type: CellType, _ read: @escaping @Sendable (Subject) -> Cell
  ) {
    column = ViewTable.Column(name: name, type: type)
    self.read = read
  }

  static func text(_ name: String, _ read: @escaping @Sendable (Subject) -> String?) -> Field {
    Field(name, .text) { subject in read(subject).map { .text($0) } ?? .null }
  }

  static func integer(_ name: String, _ read: @escaping @Sendable (Subject) -> Int64?) -> Field {
    Field(name, .integer) { subject in read(subject).map { .integer($0) } ?? .null }
  }

  static func count(_ name: String, _ read: @escaping @Sendable (Subject) -> Int?) -> Field {
    Field(name, .integer) { subject in read(subject).map { .integer(Int64($0)) } ?? .null }
  }

  static func flag(_ name: String, _ read: @escaping @Sendable (Subject) -> Bool?) -> Field {
    Field(name, .flag) { subject in read(subject).map { .flag($0) } ?? .null }
  }

  static func time(_ name: String, _ read: @escaping @Sendable (Subject) -> Timestamp?) -> Field {
    Field(name, .time) { subject in read(subject).map { .time($0) } ?? .null }
  }

  static func texts(_ name: String, _ read: @escaping @Sendable (Subject) -> [String]?) -> Field {
    Field(name, .texts) { subject in read(subject).map { .texts($0) } ?? .null }
  }

  static func uuid(_ name: String, _ read: @escaping @Sendable (Subject) -> CommandID) -> Field {
    Field(name, .uuid) { subject in .uuid(read(subject).bytes) }
  }
}

/// A table, and how its rows are made of subjects.
package struct RowMaker<Subject>: Sendable {
  package let table: ViewTable
  private let fields: [Field<Subject>]

  init(_ name: String, keyCount: Int = 1, _ fields: [Field<Subject>]) {
    self.fields = fields
    table = ViewTable(name: name, columns: fields.map(\.column), keyCount: keyCount)
  }

  func row(_ subject: Subject) -> ViewRow { fields.map { $0.read(subject) } }
}

/// A thing in the state that it stands in.
package struct Seen<Thing> {
  let it: Thing
  let state: HostingState
}

/// Rows of several tables, by their keys.
package struct RowSet: Equatable, Sendable {
  package private(set) var tables: [ViewTable: [ViewKey: ViewRow]] = [:]

  mutating func add<Subject>(_ maker: RowMaker<Subject>, _ subject: Subject) {
    let row = maker.row(subject)
    tables[maker.table, default: [:]][maker.table.key(of: row)] = row
  }

  package subscript(table: ViewTable) -> [ViewKey: ViewRow] { tables[table] ?? [:] }
}
