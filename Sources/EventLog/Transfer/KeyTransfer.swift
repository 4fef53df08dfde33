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

    package var description: String {
      switch self {
      case .badLine(let line, let reason): "line \(line) of the keys: \(reason)"
      case .otherLog(let line, let named):
        "line \(line) of the keys: it is a key of another log, \(named)"
      case .goneOn(let head):
        "a wharfd has led this log since it was imported, at position \(head): keys are taken only with "
          + "the log itself, since names may have been given anew"
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

  /// Takes the keys of a log that was imported a moment ago. Who the log says is forgotten stays so.
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
      try connection.execute(
        VaultStatements.add(keys.map { (person: $0.person, wrapped: $0.wrapped ?? []) }))
    }
    return keys.count
  }
}
