// A small log with two leaders that is right, and two that are wrong: what a leader decided lands, however
// late.

import Hosting
import Postgres
import Synchronization
import TestKit

final class ToyLeaders: LeadersUnderTest {
  enum Flaw: String, CaseIterable, Sendable, CustomStringConvertible {
    /// A leader's place in the log is its head + 1; who comes second collides, and looks again.
    case none = "right"
    /// Appends at whatever the end is by then.
    case uncompared = "positions are not compared"
    /// Asks whether it leads still, and then appends at whatever the end is.
    case askedBefore = "asked for the lead before the append"

    var description: String { rawValue }
  }

  private struct View {
    var entries: [LogEntry] = []
    /// Where it began to lead.
    var epoch: Int64?
    var leads: Bool { epoch != nil }
  }

  let table = "toy.marks"
  private let flaw: Flaw
  private let pool: Pool
  private let views = Mutex<[Member: View]>([.old: View(), .new: View()])

  init(_ flaw: Flaw, _ database: TestDatabase) async throws {
    self.flaw = flaw
    // What the check holds up is given up by nobody.
    var configuration = try database.configuration
    configuration.statementTimeout = .seconds(3_600)
    pool = try Pool(configuration)
    var connection = try database.connect()
    try connection.script(
      """
      CREATE SCHEMA toy;
      CREATE TABLE toy.marks (position bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, mark text);
      CREATE TABLE toy.leader (member text);
      INSERT INTO toy.leader VALUES ('old');
      """)
    try await lead(.old)
  }

  func end() async { await pool.close() }

  // MARK: Leading

  /// Appends that it leads, behind all that it read.
  private func lead(_ member: Member) async throws {
    while true {
      var entries = try await rows
      guard let led = try await append(.random(), mark: nil, after: entries) else { continue }
      entries.append(led)
      views.withLock { $0[member] = View(entries: entries, epoch: led.position) }
      return
    }
  }

  func takeOver() async throws {
    try await pool.execute("UPDATE toy.leader SET member = 'new'")
    Task { try await lead(.new) }
  }

  func newLeads() async throws {
    try await eventually("the new one leads") { views.withLock { $0[.new]?.leads == true } }
  }

  func oneFollows() async throws {
    // It finds out when it appends.
    _ = try await place("last", id: .random(), by: .old)
    try await eventually("the old one follows") { views.withLock { $0[.old]?.leads == false } }
  }

  // MARK: Appending

  func place(_ mark: String, id: CommandID, by member: Member) async throws -> MarkAnswer {
    let view = views.withLock { $0[member]! }
    guard view.leads else { return .unknown }
    if view.entries.contains(where: { $0.id == id }) { return .stored }
    let isTaken = view.entries.contains { $0.mark?.lowercased() == mark.lowercased() }
    if isTaken { return .refused }
    if flaw == .askedBefore {
      let leader = try await pool.query("SELECT member FROM toy.leader")[0]
      guard try leader.decode(String.self, at: 0) == "\(member)" else {
        views.withLock { $0[member]!.epoch = nil }
        return .unknown
      }
    }
    guard let entry = try await append(id, mark: mark, after: view.entries) else {
      // Someone was first: look again.
      let entries = try await rows
      views.withLock { views in
        views[member]!.entries = entries
        let isDeposed = entries.contains { $0.mark == nil && $0.position > view.epoch ?? 0 }
        if isDeposed { views[member]!.epoch = nil }
      }
      return .unknown
    }
    views.withLock { $0[member]!.entries.append(entry) }
    return .stored
  }

  /// - Returns: nil when the place, or the id, is taken.
  private func append(
    _ id: CommandID, mark: String?, after entries: [LogEntry]
  ) async throws -> LogEntry? {
    let place =
      flaw == .none
      ? "\((entries.last?.position ?? 0) + 1)"
      : "(SELECT coalesce(max(position), 0) + 1 FROM toy.marks)"
    while true {
      do {
        let rows = try await pool.query(
          Query(
            "INSERT INTO toy.marks (position, id, mark) VALUES (\(place), $1, $2) RETURNING position",
            [Parameter(PostgresUUID(bytes: id.bytes)), Parameter(mark)]))
        return LogEntry(position: try rows[0].decode(Int64.self, at: 0), id: id, mark: mark)
      } catch let error as PostgresError where error.isUniqueViolation {
        // To one that takes whatever the end is, a place that was taken just now is no news.
        if flaw == .none || error.constraint != "marks_pkey" { return nil }
      }
    }
  }

  // MARK: Reading

  var rows: [LogEntry] { get async throws { try await tail(after: 0) } }

  func tail(after position: Int64) async throws -> [LogEntry] {
    let rows = try await pool.query(
      Query(
        "SELECT position, id::text, mark FROM toy.marks WHERE position > $1 ORDER BY position",
        [Parameter(position)]))
    return try rows.map { row in
      LogEntry(
        position: try row.decode(Int64.self, at: 0),
        id: CommandID(try row.decode(String.self, at: 1))!,
        mark: try row.decode(String?.self, at: 2))
    }
  }
}
