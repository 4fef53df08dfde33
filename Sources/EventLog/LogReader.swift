// Reading the log beside the thread that follows it: pages of events, the history of one stream, and
// the state as of an earlier position. The keys of what it gives are at hand when it gives it.

import Hosting
import Postgres

package struct LogReader: Sendable {
  /// At most this many events in one page.
  package static let pageLimit = 1_000

  private let pool: Pool
  package let keys: PersonKeys
  private let snapshots: SnapshotStore?
  private let outOfTouch: @Sendable () -> OutOfTouch?

  /// - Parameters:
  ///   - snapshots: where a state of the past is folded on from; without, from the beginning.
  ///   - outOfTouch: what is known of the database by who follows the log: then nobody waits for it.
  package init(
    pool: Pool, keys: PersonKeys, snapshots: SnapshotStore? = nil,
    outOfTouch: @escaping @Sendable () -> OutOfTouch? = { nil }
  ) {
    self.pool = pool
    self.keys = keys
    self.snapshots = snapshots
    self.outOfTouch = outOfTouch
  }

  package func events(after position: Position, limit: Int) async throws -> [StoredEvent] {
    try await read(LogStatements.read(after: position, limit: min(limit, Self.pageLimit)))
  }

  package func events(
    of stream: Stream, after position: Position, limit: Int
  ) async throws -> [StoredEvent] {
    try await read(
      LogStatements.read(stream: stream, after: position, limit: min(limit, Self.pageLimit)))
  }

  /// The same over a connection of the caller, who may block.
  package static func events(
    after position: Position, limit: Int, on connection: inout Connection
  ) throws -> [StoredEvent] {
    let rows = try connection.query(
      LogStatements.read(after: position, limit: min(limit, pageLimit)))
    return try (0..<rows.count).map { try StoredEvent(rows[$0]) }
  }

  /// Throws while what stands in the table is not known to be where the database was told to bring it.
  package static func confirm(on connection: inout Connection) throws {
    try connection.execute(LogStatements.confirm)
  }

  func withConnection<Result: Sendable>(
    _ body: @Sendable (inout Connection) throws -> Result
  ) async throws -> Result {
    if let outOfTouch = outOfTouch() { throw outOfTouch }
    return try await pool.withConnection(body)
  }

  /// The streams that an event of a type began under a name, the newest first. It reads all events of the type,
  /// so it is for what is no longer in the state.
  package func streams(
    begunBy type: String, named name: Name, upTo last: Position
  ) async throws -> [Stream] {
    let rows = try await withConnection { connection in
      let rows = try connection.query(
        """
        SELECT stream FROM log.events
        WHERE type = \(type) AND type <> 'nodeReported' AND position <= \(last.value)
          AND lower(data->>'name') = \(name.key)
        ORDER BY position DESC LIMIT \(Int64(Self.namesakesLimit))
        """)
      return try (0..<rows.count).map { try rows[$0].decode(String.self, at: 0) }
    }
    return rows.compactMap { Stream($0) }
  }

  /// Of things that had one name, one after another, so many are looked at.
  private static let namesakesLimit = 100

  /// Whether anything was ever recorded.
  package static func isEmpty(_ configuration: PostgresConfiguration) throws -> Bool {
    var connection = try Connection(configuration, timeout: .seconds(10))
    return try LogStatements.readHead(&connection) == .empty
  }

  /// Hands over all events after a position and up to another, or to the head, over a connection of
  /// the caller's, as fast as they can be had: for whoever has far to go.
  ///
  /// The events are those of one moment. A failure may come after some have been handed over.
  package static func forEach(
    after position: Position, upTo last: Position? = nil, on connection: inout Connection,
    _ body: (StoredEvent) throws -> Void
  ) throws {
    try connection.copyOutRows(LogStatements.copy(after: position, upTo: last)) { row in
      try body(StoredEvent(&row))
    }
  }

  private func read(_ query: Query) async throws -> [StoredEvent] {
    let keys = keys
    return try await withConnection { connection in
      let rows = try connection.query(query)
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, reasons: true, &connection)
      return events
    }
  }

  /// Where the log ends.
  package func head() async throws -> Position {
    try await withConnection { connection in try LogStatements.readHead(&connection) }
  }

  /// The hash at a position; none past the end.
  package func hash(at position: Position) async throws -> Digest? {
    try await withConnection { connection in
      try LogStatements.readHash(at: position, &connection)
    }
  }

  /// The last position recorded at or before a moment. Times never fall from one position to the next, so it
  /// is found by halving.
  package func position(at moment: Timestamp) async throws -> Position {
    try await withConnection { connection in
      let time = PostgresTimestamp(microsecondsSinceUnixEpoch: moment.microseconds)
      var (low, high) = (Int64(0), try LogStatements.readHead(&connection).value)
      while low < high {
        let middle = low + (high - low + 1) / 2
        let rows = try connection.query(
          "SELECT recorded_at <= \(time) FROM log.events WHERE position = \(middle)")
        guard rows.count == 1 else {
          throw LogError.unreadable(
            position: Position(middle), reason: "the log has no such position")
        }
        if try rows[0].decode(Bool.self, at: 0) { low = middle } else { high = middle - 1 }
      }
      return Position(low)
    }
  }

  /// The state as of a position: a fold of the log up to it, from the nearest state kept.
  package func state(at position: Position) async throws -> HostingState {
    let (snapshots, keys) = (snapshots, keys)
    return try await withConnection { connection in
      // One snapshot of the database, so that no event is read whose key was not.
      try connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
        var state = try snapshots?.newest(upTo: position, on: &connection)?.state ?? HostingState()
        try keys.prepareAll(&connection)
        try Self.forEach(after: state.position, upTo: position, on: &connection) {
          try state.fold($0, keys)
        }
        return state
      }
    }
  }
}
