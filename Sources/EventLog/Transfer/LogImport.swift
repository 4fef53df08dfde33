// `wharfd import`: an export into an empty database, byte for byte. Each batch is one statement with
// explicit positions, like every append: whatever is killed leaves a prefix, and the next import of
// the same file goes on behind it. What is there already is held against the file's hashes, so
// nothing is ever put behind another log.

import Hosting
import Postgres

package struct LogImport {
  package struct Done: Equatable, Sendable {
    package let imported: Int
    /// What was there before and is in the file too.
    package let known: Int
    package let head: Position
    package let hash: Digest
    /// The era that the log is of; a wharfd of another database does not lead it.
    package let era: Position
    /// The log, as its export names it.
    let source: String
    /// The persons who are forgotten in it: their keys are not taken.
    let forgotten: [(person: ID<Person>, position: Position)]
    /// Whose data stands sealed in it: without a key of theirs it never opens again.
    let sealed: [ID<Person>]

    package static func == (a: Done, b: Done) -> Bool {
      a.imported == b.imported && a.known == b.known && a.head == b.head && a.hash == b.hash
        && a.era == b.era
    }
  }

  package enum Refused: Error, Equatable, CustomStringConvertible {
    case badLine(Int, String)
    case otherLog(position: Position, line: Int)
    case goneOn(file: Position, head: Position)
    case noStart(Position)
    case overtaken(Position)
    case nothing

    package var description: String {
      switch self {
      case .badLine(let line, let reason): "line \(line): \(reason)"
      case .otherLog(let position, let line):
        "line \(line): the database holds another event at position \(position): it is not empty, "
          + "and not a part of this log; import into an empty database"
      case .goneOn(let file, let head):
        "the file ends at position \(file), and the log in the database has gone on to \(head)"
      case .noStart(let position):
        "the file begins at position \(position), and the database lacks what comes before: import "
          + "that first"
      case .overtaken(let position):
        "somebody else appended at position \(position) meanwhile: stop every wharfd of this database"
      case .nothing: "there is no event in the file"
      }
    }
  }

  package static let longestLineBytes = CloudEventLine.longestBytes
  static let batchLimit = 1_000

  private var fold: ChainedFold
  private let before: Position
  private var source: String?
  private var known: [Digest] = []
  private var knownAfter = Position.empty
  private var last: Position?
  private var batch: [StoredEvent] = []
  private var line = 0

  private init(_ fold: ChainedFold) {
    self.fold = fold
    before = fold.position
  }

  /// Imports lines until there are none.
  ///
  /// - Parameters:
  ///   - next: the next line without its newline, none at the end.
  ///   - progress: told of each batch that is stored.
  package static func run(
    _ connection: inout Connection, progress: (Position) -> Void,
    next: () throws -> [UInt8]?
  ) throws -> Done {
    try connection.execute(LogStatements.durable)
    var fold = ChainedFold()
    try fold.takeAll(&connection) { _, _ in }
    var work = LogImport(fold)
    while let bytes = try next() {
      work.line += 1
      try work.take(bytes, &connection)
      if work.batch.count == batchLimit { try work.store(&connection, progress) }
    }
    try work.store(&connection, progress)
    return try work.done()
  }

  private mutating func take(_ bytes: [UInt8], _ connection: inout Connection) throws {
    let event: StoredEvent
    let named: String
    do { (event, named) = try CloudEventLine.event(bytes) } catch {
      throw Refused.badLine(line, "\(error)")
    }
    guard source == nil || source == named else {
      throw Refused.badLine(line, "is of another log than the line before: \(named)")
    }
    source = named
    if last == nil, event.position > before.next { throw Refused.noStart(event.position) }
    if let last, event.position != last.next {
      throw Refused.badLine(line, "a gap: position \(event.position) follows \(last)")
    }
    last = event.position
    if event.position <= before {
      guard try hash(at: event.position, &connection) == event.hash else {
        throw Refused.otherLog(position: event.position, line: line)
      }
      return
    }
    do { try fold.take(event) } catch { throw Refused.badLine(line, "\(error)") }
    batch.append(event)
  }

  /// The hash of what is there already, read a page at a time.
  private mutating func hash(
    at position: Position, _ connection: inout Connection
  ) throws -> Digest {
    if known.isEmpty || position.value > knownAfter.value + Int64(known.count) {
      knownAfter = Position(position.value - 1)
      known = try LogReader.events(
        after: knownAfter, limit: LogReader.pageLimit, on: &connection
      ).map(\.hash)
    }
    return known[Int(position.value - knownAfter.value) - 1]
  }

  private mutating func store(
    _ connection: inout Connection, _ progress: (Position) -> Void
  ) throws {
    guard let first = batch.first, let last = batch.last else { return }
    do {
      try connection.execute(LogStatements.append(batch))
    } catch  where error.constraint == "events_pkey" {
      throw Refused.overtaken(first.position)
    }
    batch = []
    progress(last.position)
  }

  private func done() throws(Refused) -> Done {
    guard let last, let era = fold.state.log.era else { throw .nothing }
    guard last == fold.position else { throw .goneOn(file: last, head: fold.position) }
    let imported = Int(fold.position.value - before.value)
    return Done(
      imported: imported, known: line - imported, head: fold.position, hash: fold.hash,
      era: era.position, source: source ?? "", forgotten: fold.state.forgotten,
      sealed: fold.sealed)
  }
}
