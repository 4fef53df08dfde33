// The keys of persons as a file beside an export: one line each, wrapped as they are in the vault, and of
// those forgotten the word that they are. An export of the log itself holds none.
//
//   {"log":"/wharf/log/8d6f…","person":17,"wrapped":"…"}     {"log":"…","person":20,"forgottenAt":52}

import Hosting
import Postgres

package enum KeyTransfer {
  package enum Refused: Error, Equatable, CustomStringConvertible {
    case badLine(Int, String)
    case otherLog(line: Int, named: String)
    case goneOn(head: Position)
    case destroyed(ID<Person>, at: Position)
    case otherKey(ID<Person>)

    package var description: String {
      switch self {
      case .badLine(let line, let reason): "line \(line) of the keys: \(reason)"
      case .otherLog(let line, let named):
        "line \(line) of the keys: it is a key of another log, \(named)"
      case .goneOn(let head):
        "a wharfd has led this log since it was imported, at position \(head): keys are taken only with "
          + "the log itself, since names may have been given anew"
      case .destroyed(let person, let position):
        "the key of \(person), which they hold, is destroyed in this database since position \(position): the "
          + "file is older; export the keys anew, or import into an empty database"
      case .otherKey(let person):
        "the key of \(person) in this database is another one: import into an empty database"
      }
    }
  }

  private struct Line: JSONRecord {
    var log: String
    var person: Position
    var wrapped: String?
    var forgottenAt: Position?
  }

  /// - Parameter head: where the export of the log ended; later persons are none of it.
  /// - Returns: whole lines, and how many keys are in them.
  package static func export(
    _ connection: inout Connection, upTo head: Position
  ) throws -> (bytes: [UInt8], keys: Int) {
    guard let first = try LogStatements.readHash(at: Position(1), &connection) else {
      throw LogExport.Refused.empty
    }
    let source = CloudEventLine.source(firstHash: first)
    var (bytes, keys): ([UInt8], Int) = ([], 0)
    let rows = try connection.query(VaultStatements.keys(upTo: head))
    for row in rows {
      let wrapped = try row.decode([UInt8]?.self, at: 1)
      let line = Line(
        log: source, person: Position(try row.decode(Int64.self, at: 0)),
        wrapped: wrapped?.hexadecimal,
        forgottenAt: try row.decode(Int64?.self, at: 2).map { Position($0) })
      bytes += line.jsonBytes + [UInt8(ascii: "\n")]
      if wrapped != nil { keys += 1 }
    }
    return (bytes, keys)
  }

  /// Takes the keys of a log that was imported a moment ago. A person who the log says is forgotten stays so. Whose key
  /// does not come with it is given up, at the head of the import: no other is made for them, and theirs may
  /// still come as long as nobody led the log on.
  ///
  /// - Parameters:
  ///   - done: the import of the log.
  ///   - next: the next line without its newline, none at the end; nil when there is no file.
  /// - Returns: how many keys were taken.
  package static func load(
    _ connection: inout Connection, of done: LogImport.Done, next: (() throws -> [UInt8]?)?
  ) throws -> Int {
    var lines: [(person: Position, wrapped: [UInt8]?, forgotten: Position?)] = []
    var number = 0
    while let next, let text = try next() {
      number += 1
      let line: Line
      do { line = try Line(jsonBytes: text) } catch { throw Refused.badLine(number, "\(error)") }
      guard line.log == done.source else { throw Refused.otherLog(line: number, named: line.log) }
      let wrapped = line.wrapped.map { [UInt8](hexadecimal: $0) }
      guard wrapped != .some(nil), (wrapped == nil) != (line.forgottenAt == nil) else {
        throw Refused.badLine(number, "it holds neither a key nor that it was destroyed")
      }
      lines.append((line.person, wrapped ?? nil, line.forgottenAt))
    }
    let forgotten = Set(done.forgotten.map(\.person.position))
    let keys = lines.filter { $0.wrapped != nil && !forgotten.contains($0.person) }
    let gone =
      done.forgotten.map { (id: $0.person, forgotten: $0.position) }
      + lines.compactMap { line in
        line.forgotten.flatMap { position in
          forgotten.contains(line.person)
            ? nil : (id: ID<Person>(line.person), forgotten: position)
        }
      }
    try connection.transaction { connection in
      let head = try LogStatements.readHead(&connection)
      guard head == done.head else { throw Refused.goneOn(head: head) }
      try connection.execute(VaultStatements.destroy(gone))
      let given = keys.map { (person: $0.person, wrapped: $0.wrapped ?? []) }
      try connection.execute(VaultStatements.add(given, givenUpAt: done.head))
      if let row = try connection.query(VaultStatements.otherThan(given)).first {
        let person = ID<Person>(Position(try row.decode(Int64.self, at: 0)))
        guard let position = try row.decode(Int64?.self, at: 1) else {
          throw Refused.otherKey(person)
        }
        throw Refused.destroyed(person, at: Position(position))
      }
      try connection.execute(VaultStatements.giveUp(done.sealed, at: done.head))
    }
    return keys.count
  }
}
