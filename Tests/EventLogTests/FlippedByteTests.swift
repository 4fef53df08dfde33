// One byte flipped in any row and column, as a disk or a person may: `verify` names the position.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct FlippedByteTests {
  /// How a byte of a column is changed: in SQL, on its own bytes. X is the column, AT any number that
  /// picks the byte, BIT one of its bits, MASK a number with one bit set.
  private enum Form: String {
    case text =
      "convert_from(set_byte(b.b, AT % length(b.b), get_byte(b.b, AT % length(b.b)) # BIT), 'UTF8')"
    case bytes = "set_byte(X, AT % 16, get_byte(X, AT % 16) # BIT)"
    case uuid =
      "encode(set_byte(uuid_send(X), AT % 16, get_byte(uuid_send(X), AT % 16) # BIT), 'hex')::uuid"
    case long = "X # MASK"
    case short = "(X::int8 # BIT)::int2"
    case time =
      "'epoch'::timestamptz + ((extract(epoch FROM X) * 1000000)::int8 # MASK) * interval '1 microsecond'"
  }

  private static let columns: [(name: String, form: Form)] = [
    ("position", .long), ("stream", .text), ("type", .text), ("schema_version", .short),
    ("data", .text), ("metadata", .text), ("command_id", .uuid), ("command_hash", .bytes),
    ("correlation_id", .uuid), ("causation", .long), ("actor", .text), ("recorded_at", .time),
    ("hash", .bytes),
  ]
  /// Where the database itself refuses a flip, such as to text that is no UTF-8, others are tried.
  private static let triesLimit = 20

  /// A log of three providers, stopped; its table may be changed, and stands in `whole` as it was.
  ///
  /// - Returns: its head.
  private func prepared() async throws -> Int64 {
    let rig = try await Rig.leading(.current)
    for name in ["xai", "openai", "mistral"] {
      try await rig.send(RegisterProvider(name: Name(known: name), title: Text("é \\ \"\(name)\"")))
      _ = try await rig.member.submit(
        CommandRequest(
          id: .random(), command: SuspendProvider(provider: Name(known: name)), principal: .tester,
          reason: Text("because"), causation: rig.head.state.position))
      try await rig.send(PlaceMark(name: Name(known: "after-\(name)")))
    }
    await rig.stop()
    var connection = try Connection(rig.database)
    try connection.script(
      "ALTER TABLE log.events DISABLE TRIGGER ALL; CREATE TABLE whole AS TABLE log.events")
    return rig.head.state.position.value
  }

  /// Flips a byte of each column of each row in turn. A fault is one that a verifier did not name.
  private func check(
    upTo head: Int64, columns: [(name: String, form: Form)] = Self.columns,
    verify: (PostgresConfiguration) throws -> Void
  ) throws -> (flipped: Int, faults: [Fault]) {
    let database = try TestDatabase.current.configuration
    var connection = try Connection(database)
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix64(seed: seed)
    var flipped = 0
    var faults = Faults()
    for position in 1...head {
      for (column, form) in columns {
        guard try flip(column, form, at: position, &connection, &random) else { continue }
        flipped += 1
        let error = try failure(of: verify, database)
        faults.note(
          "\(column) at \(position), seed \(seed): \(String(describing: error))",
          unless: error?.position == Position(position))
        try connection.script(
          "TRUNCATE log.events; INSERT INTO log.events SELECT * FROM whole ORDER BY position")
      }
    }
    faults.note(
      "what is whole is not found to be", unless: try failure(of: verify, database) == nil)
    return (flipped, faults.all)
  }

  private func failure(
    of verify: (PostgresConfiguration) throws -> Void, _ database: PostgresConfiguration
  ) throws -> LogError? {
    do { try verify(database) } catch let error as LogError { return error }
    return nil
  }

  @Test func `one byte flipped in any row and column: verify names the position`() async throws {
    let head = try await prepared()
    let (flipped, faults) = try check(upTo: head) { database in
      _ = try Verification.run(database) { _, _ in }
    }
    #expect(faults == [])
    // All but NULL in command_hash and causation, and `{}`, which the database lets nobody flip.
    #expect(flipped >= Int(head) * 10)
  }

  @Test func `a verifier that leaves out any column is found out`() async throws {
    let head = try await prepared()
    for column in Self.columns {
      let verifier = BlindVerifier(to: [column.name])
      let (flipped, faults) = try check(upTo: head, columns: [column]) { try verifier.run($0) }
      #expect(flipped > 0 && !faults.isEmpty, "\(column.name)")
    }
    // As a chain over payloads only.
    let verifier = BlindVerifier(to: Self.columns.map(\.name).filter { $0 != "data" })
    let (_, faults) = try check(upTo: head) { try verifier.run($0) }
    #expect(faults.contains { $0.description.hasPrefix("actor at 2") }, "\(faults)")
    #expect(!faults.contains { $0.description.hasPrefix("data") }, "\(faults)")
  }

  /// - Returns: false where the column is NULL, or nothing else would fit its type.
  private func flip(
    _ column: String, _ form: Form, at position: Int64, _ connection: inout Connection,
    _ random: inout SplitMix64
  ) throws -> Bool {
    for _ in 0..<Self.triesLimit {
      let at = Int.random(in: 0..<1_000, using: &random)
      let bit = 1 << Int.random(in: 0..<8, using: &random)
      let mask = 1 << Int.random(in: 0..<50, using: &random)
      var change = form.rawValue.replacing("X", with: column).replacing("AT", with: "\(at)")
      change = change.replacing("BIT", with: "\(bit)").replacing("MASK", with: "\(mask)::int8")
      if column == "data" || column == "metadata" { change = "(\(change))::json" }
      let sql: String = """
        UPDATE log.events SET \(column) = \(change)
        FROM (SELECT convert_to(\(column)::text, 'UTF8') AS b FROM log.events WHERE position = $1) b
        WHERE position = $1 AND \(column) IS NOT NULL
        """
      let changed = Result { try connection.execute(Query(sql, [Parameter(position)])) }
      // No UTF-8, no JSON, a position that is taken: the database does not take it.
      if case .success(let count) = changed { return count == 1 }
    }
    return false
  }
}

/// Verifies a log as `verify` does, but for columns that it does not look at: it takes them from the
/// table `whole`, or from the order of the rows.
private struct BlindVerifier {
  private let columns: String

  init(to blind: [String]) {
    columns = LogStatements.columns.split(separator: ",").map { column in
      let name = column.trimmingPrefix { $0 == " " }
      guard blind.contains(String(name)) else { return "e.\(name)" }
      return name == "position" ? "row_number() OVER (ORDER BY e.position)" : "w.\(name)"
    }.joined(separator: ", ")
  }

  func run(_ database: PostgresConfiguration) throws {
    var connection = try Connection(database)
    let rows = try connection.query(
      Query(
        """
        SELECT \(columns)
        FROM (SELECT *, row_number() OVER (ORDER BY position) AS n FROM log.events) e
        JOIN whole w ON w.position = e.n ORDER BY e.position
        """, []))
    var verification = Verification()
    for row in rows { try verification.check(StoredEvent(row)) }
  }
}

extension LogError {
  /// The position that it names.
  var position: Position? {
    switch self {
    case .unreadable(let position, _), .contradiction(let position, _), .broken(let position, _):
      position
    case .gap(let expected, _): expected
    default: nil
    }
  }
}
