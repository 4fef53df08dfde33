// A small store that is right, and can be made wrong in one way at a time: each a way in which stores
// of events were built. The checks must find none in the first and some in each other.

import Hosting
import Postgres
import Synchronization
import TestKit

enum Flaw: String, CaseIterable, Sendable, CustomStringConvertible {
  case none = "right"
  /// Each stream has its own concurrency check; the order of all comes from a sequence, so commits come
  /// out of order, and what was rolled back leaves a gap.
  case sequence = "positions from a sequence"
  /// Decided on what was read before, and appended at whatever the end is by then.
  case staleDecision = "decision on a stale state"
  case checkpointBefore = "checkpoint before the rows"
  case checkpointAfter = "checkpoint after the rows"
  /// A statement whose connection died is sent again, as it is.
  case blindRetry = "retry without a look"
  /// Refuses by what is under way.
  case dirtyRefusal = "refusal by the uncommitted"
  /// Waits until no older transaction is open: a well-known cure of the first.
  case gatedTail = "tail behind open transactions"
  /// Right, too: what gathers while an append is under way is stored as one.
  case batches = "right, in batches"
  /// As if a batch were one transaction of one sender.
  case oneRefusesAll = "one refusal for the whole batch"

  var description: String { rawValue }
}

final class ToyStore: StoreUnderTest {
  private struct Killed: Error {}
  private struct Lost: Error {}

  typealias Sent = Lots<(command: StoreCommand, id: CommandID), StoreAnswer>

  private static let lanes = 48
  private static let batchEvents = 5

  let name: String
  let table = "toy.events"
  let flaw: Flaw
  private let pool: Pool
  let gathered = Sent()
  private let toLose = Mutex<String?>(nil)
  private let underWay = Mutex<Set<String>>([])

  init(_ flaw: Flaw, _ database: TestDatabase) throws {
    self.flaw = flaw
    name = flaw.rawValue
    var options = PoolOptions()
    options.lanes = Self.lanes
    pool = try Pool(database.configuration, options: options)
    var connection = try database.connect()
    let isSequence = flaw == .sequence
    try connection.script(
      """
      CREATE SCHEMA toy;
      CREATE TABLE toy.events (
        position \(isSequence ? "bigserial" : "bigint") PRIMARY KEY,
        stream text NOT NULL, version bigint NOT NULL, model text, kind text NOT NULL,
        name text NOT NULL, id uuid NOT NULL, xact xid8 NOT NULL DEFAULT pg_current_xact_id());
      \(isSequence ? "ALTER TABLE toy.events ADD UNIQUE (stream, version);" : "")
      \(flaw == .blindRetry ? "" : "ALTER TABLE toy.events ADD UNIQUE (id);")
      CREATE TABLE toy.counts (stream text PRIMARY KEY, events bigint NOT NULL);
      CREATE TABLE toy.checkpoint (position bigint NOT NULL);
      INSERT INTO toy.checkpoint VALUES (0);
      """)
  }

  func end() async { await pool.close() }

  func loseAnswer(about name: String) { toLose.withLock { $0 = name } }
}

// MARK: Appending

extension ToyStore {
  struct Seen {
    var rows: [StoreRow] = []
    var head: Int64 { rows.last?.position ?? 0 }

    func name(_ name: String) -> String? {
      for case .create(let known) in rows.compactMap(\.command)
      where known.lowercased() == name.lowercased() { return known }
      return nil
    }

    func suspension(of name: String) -> Int64? {
      rows.first {
        if case .suspend(name, _) = $0.command { true } else { false }
      }?.position
    }

    func version(of stream: String) -> Int64 { Int64(rows.count { $0.command?.stream == stream }) }

    /// What a command was answered with that came before.
    func known(_ command: StoreCommand, _ id: CommandID) -> StoreAnswer? {
      guard let row = rows.first(where: { $0.id == id }) else { return nil }
      return row.command == command.stored ? .stored(at: row.position) : .idUsedOtherwise
    }

    /// nil: accepted, to be stored.
    func decide(_ command: StoreCommand) -> StoreAnswer? {
      switch command {
      case .create(let name): return self.name(name) == nil ? nil : .refused
      case .suspend(let name, let since):
        guard self.name(name) != nil else { return .refused }
        guard let suspended = suspension(of: name) else { return nil }
        return since.map { suspended > $0 } == true ? .refused : .noted
      case .onboard(let name, _):
        return self.name(name) != nil && suspension(of: name) == nil ? nil : .refused
      }
    }
  }

  func submit(_ command: StoreCommand, id: CommandID) async -> StoreAnswer {
    if flaw == .dirtyRefusal, case .create(let name) = command {
      // A retry is told from another by nothing: good enough for names that are sent once.
      let isFirst = underWay.withLock { $0.insert(name.lowercased()).inserted }
      guard isFirst else { return await known(command, id) ?? .refused }
      let answer = await append(command, id)
      if answer == .unknown { _ = underWay.withLock { $0.remove(name.lowercased()) } }
      return answer
    }
    if flaw == .batches || flaw == .oneRefusesAll { return await gather(command, id) }
    return await append(command, id)
  }

  private func known(_ command: StoreCommand, _ id: CommandID) async -> StoreAnswer? {
    try? await Seen(rows: rows()).known(command, id)
  }

  private func append(_ command: StoreCommand, _ id: CommandID) async -> StoreAnswer {
    while true {
      do {
        let seen = Seen(rows: try await rows())
        if let answer = seen.known(command, id) { return answer }
        if let answer = seen.decide(command) { return answer }
        return .stored(at: try await insert(command, id, after: seen))
      } catch let error as PostgresError where error.isUniqueViolation {
        // Someone was first: look again.
      } catch {
        // Not known: a right store looks, a lazy one leaves it to its client.
        if flaw == .dirtyRefusal { return .unknown }
      }
    }
  }

  private func insert(
    _ command: StoreCommand, _ id: CommandID, after seen: Seen
  ) async throws -> Int64 {
    while true {
      do {
        return try await insertOnce(command, id, after: seen)
      } catch let error as PostgresError
        where error.isUniqueViolation && flaw == .staleDecision
        && error.constraint == "events_pkey"
      {
        // Another came first. What was decided stays.
      } catch let error where flaw == .blindRetry && (error as? PostgresError)?.sqlState != "23505"
      {
        let position: Int64 = try await pool.withConnection { connection in
          try connection.query("SELECT coalesce(max(position), 0) + 1 FROM toy.events")[0]
            .decode(Int64.self, at: 0)
        }
        return try await insertOnce(command, id, after: seen, at: position)
      }
    }
  }

  private func insertOnce(
    _ command: StoreCommand, _ id: CommandID, after seen: Seen, at given: Int64? = nil
  ) async throws -> Int64 {
    let stream = command.stream
    let place: String
    switch flaw {
    case .sequence: place = "nextval('toy.events_position_seq')"
    case .staleDecision: place = "(SELECT coalesce(max(position), 0) + 1 FROM toy.events)"
    default: place = "\(given ?? seen.head + 1)"
    }
    let insert = Query(
      """
      INSERT INTO toy.events (position, stream, version, kind, name, model, id)
      VALUES (\(place), $1, $2, $3, $4, $5, $6) RETURNING position
      """, Self.parameters(command, id, version: seen.version(of: stream)))
    let position = try await pool.withConnection { connection in
      try connection.query(insert)[0].decode(Int64.self, at: 0)
    }
    try loseAnswerIfAsked([command])
    return position
  }

  private static func parameters(
    _ command: StoreCommand, _ id: CommandID, version: Int64
  ) -> [Parameter] {
    let (kind, name, model) = command.columns
    return [
      Parameter(command.stream), Parameter(version), Parameter(kind), Parameter(name),
      Parameter(model), Parameter(PostgresUUID(bytes: id.bytes)),
    ]
  }

  private func loseAnswerIfAsked(_ commands: [StoreCommand]) throws {
    let isLost = toLose.withLock { lost in
      guard commands.contains(where: { $0.columns.name == lost }) else { return false }
      lost = nil
      return true
    }
    if isLost { throw Lost() }
  }

  /// Stores what was decided, in one transaction, behind what was seen.
  func insert(_ rows: ArraySlice<StoreRow>, after seen: Seen) async throws {
    var seen = seen
    var queries: [Query] = []
    for row in rows {
      guard let command = row.command else { continue }
      queries.append(
        Query(
          """
          INSERT INTO toy.events (position, stream, version, kind, name, model, id)
          VALUES (\(row.position), $1, $2, $3, $4, $5, $6)
          """, Self.parameters(command, row.id, version: seen.version(of: command.stream))))
      seen.rows.append(row)
    }
    try await pool.withConnection { [queries] connection in
      try connection.transaction { connection in
        for query in queries { try connection.execute(query) }
      }
    }
    try loseAnswerIfAsked(rows.compactMap(\.command))
  }
}

extension StoreCommand {
  /// Without what is only said with it.
  var stored: StoreCommand {
    if case .suspend(let name, _) = self { .suspend(name) } else { self }
  }

  fileprivate var columns: (kind: String, name: String, model: String?) {
    switch self {
    case .create(let name): ("create", name, nil)
    case .suspend(let name, _): ("suspend", name, nil)
    case .onboard(let name, let model): ("onboard", name, model)
    }
  }

  fileprivate var stream: String { columns.name.lowercased() }
}

// MARK: Reading

extension ToyStore {
  private static let columns = "position, kind, name, model, id::text"

  private func read(_ query: Query) async throws -> [StoreRow] {
    try await pool.withConnection { connection in
      try connection.query(query).map { row in
        let name = try row.decode(String.self, at: 2)
        let command: StoreCommand
        switch try row.decode(String.self, at: 1) {
        case "create": command = .create(name)
        case "suspend": command = .suspend(name)
        default: command = .onboard(name, model: try row.decode(String.self, at: 3))
        }
        return StoreRow(
          position: try row.decode(Int64.self, at: 0),
          id: CommandID(try row.decode(String.self, at: 4))!, command: command)
      }
    }
  }

  func rows() async throws -> [StoreRow] {
    try await read(Query("SELECT \(Self.columns) FROM toy.events ORDER BY position", []))
  }

  func tail(after position: Int64) async throws -> [StoreRow] {
    let gate =
      flaw == .gatedTail ? "AND xact < pg_snapshot_xmin(pg_current_snapshot())" : ""
    return try await read(
      Query(
        """
        SELECT \(Self.columns) FROM toy.events WHERE position > $1 \(gate) ORDER BY position
        """, [Parameter(position)]))
  }
}

// MARK: Projecting

extension ToyStore {
  private struct Batch: Sendable {
    let from: Int64
    let rows: [StoreRow]
  }

  private func nextBatch() async throws -> Batch {
    let from: Int64 = try await pool.withConnection { connection in
      try connection.query("SELECT position FROM toy.checkpoint")[0].decode(Int64.self, at: 0)
    }
    return Batch(
      from: from,
      rows: Array(try await rows().filter { $0.position > from }.prefix(Self.batchEvents)))
  }

  func project(killedAfter statement: Int) async throws -> Bool {
    let batch = try await nextBatch()
    guard !batch.rows.isEmpty else { return false }
    do { try await apply(batch, killedAfter: statement) } catch is Killed {}
    return true
  }

  func projectStale() async throws {
    let batch = try await nextBatch()
    try await apply(batch, killedAfter: .max)
    do { try await apply(batch, killedAfter: .max) } catch is Killed {}
  }

  private func apply(_ batch: Batch, killedAfter fatal: Int) async throws {
    let flaw = flaw
    try await pool.withConnection { connection in
      var count = 0
      func statement(_ query: Query) throws -> Int {
        let changed = try connection.execute(query)
        count += 1
        if count == fatal { throw Killed() }
        return changed
      }
      func move() throws {
        let changed = try statement(
          "UPDATE toy.checkpoint SET position = \(batch.rows.last!.position) WHERE position = \(batch.from)"
        )
        // Fenced: another was here.
        if changed != 1 { throw Killed() }
      }
      func write() throws {
        for row in batch.rows {
          _ = try statement(
            """
            INSERT INTO toy.counts VALUES (\(row.command!.stream), 1)
            ON CONFLICT (stream) DO UPDATE SET events = counts.events + 1
            """)
        }
      }
      switch flaw {
      case .checkpointBefore:
        try move()
        try write()
      case .checkpointAfter:
        try write()
        try move()
      default:
        try connection.script("BEGIN")
        do {
          try move()
          try write()
          try connection.script("COMMIT")
        } catch {
          try connection.script("ROLLBACK")
          throw error
        }
      }
    }
  }

  func projectionFaults() async throws -> [Fault] {
    var wanted: [String: Int64] = [:]
    let batch = try await nextBatch()
    for row in try await rows() where row.position <= batch.from {
      wanted[row.command!.stream, default: 0] += 1
    }
    var found: [String: Int64] = [:]
    let rows = try await pool.query("SELECT stream, events FROM toy.counts")
    for row in rows {
      found[try row.decode(String.self, at: 0)] = try row.decode(Int64.self, at: 1)
    }
    return wanted == found ? [] : [Fault("the projection is not the fold of the table")]
  }
}
