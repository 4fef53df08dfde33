// `wharfd export`: the log as lines of JSON, one event each. Read in pages, since a prefix of the log
// never changes: no transaction is held open, however long it takes. Nothing that does not chain is
// exported.

import Hosting
import Postgres

package struct LogExport {
  package struct Done: Equatable, Sendable {
    /// The position before the first that was exported.
    package let after: Position
    package let head: Position
    package let hash: Digest
  }

  package enum Refused: Error, Equatable, CustomStringConvertible {
    case empty
    case ahead(after: Position, head: Position)

    package var description: String {
      switch self {
      case .empty: "the log is empty"
      case .ahead(let after, let head): "there is no position \(after): the log ends at \(head)"
      }
    }
  }

  private static let pageLimit = 1_000

  /// Exports what stands past `after`, up to the head as it is now.
  ///
  /// - Parameter write: is handed the bytes of whole lines.
  package static func run(
    _ connection: inout Connection, after start: Position = .empty,
    progress: (Position, Position) -> Void, write: ([UInt8]) throws -> Void
  ) throws -> Done {
    let head = try LogStatements.readHead(&connection)
    guard let first = try LogStatements.readHash(at: Position(1), &connection) else {
      throw Refused.empty
    }
    guard var hash = try LogStatements.readHash(at: start, &connection) else {
      throw Refused.ahead(after: start, head: head)
    }
    let source = CloudEventLine.source(firstHash: first)
    var position = start
    while position < head {
      let limit = min(Self.pageLimit, Int(head.value - position.value))
      let page = try LogReader.events(after: position, limit: limit, on: &connection)
      var lines: [UInt8] = []
      for event in page {
        guard event.position == position.next else {
          throw LogError.gap(expected: position.next, found: event.position)
        }
        guard Chain.hash(of: event, after: hash) == event.hash else {
          throw LogError.broken(
            position: event.position,
            reason: "its hash is not that of its columns and the hash before")
        }
        (position, hash) = (event.position, event.hash)
        lines += CloudEventLine.text(event, source: source)
        lines.append(UInt8(ascii: "\n"))
      }
      guard !page.isEmpty else { throw LogError.gap(expected: position.next, found: head) }
      try write(lines)
      progress(position, head)
    }
    return Done(after: start, head: position, hash: hash)
  }
}
