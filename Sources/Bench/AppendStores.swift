// The log itself, in process, and plain INSERTs into the same table with the same rows.

import EventLog
import Hosting
import Postgres
import Synchronization

/// `LogMember.submit`, as wharfd's API calls it.
struct LogStore: AppendStore {
  let first: Int64?
  private let configuration: PostgresConfiguration
  private let member: Member
  private let producers: Int
  private let callers: Workload.Callers
  /// Told the size of the batches, where another arm is to have the same.
  private let batchSize: BatchSize?

  init(
    _ databases: Databases, producers: Int, callers: Workload.Callers = .machines,
    batchSize: BatchSize? = nil
  ) async throws {
    configuration = try databases.makeScratch()
    member = try await Member.leading(configuration)
    first = member.log.board.current.state.position.value + 1
    self.producers = producers
    self.callers = callers
    self.batchSize = batchSize
  }

  func produce(
    _ producer: Int, isOver: @escaping @Sendable () -> Bool
  ) async throws -> [Acknowledgement] {
    var acknowledged: [Acknowledgement] = []
    while !isOver() {
      let sequence = acknowledged.count
      let request = try Workload.amend(
        producer: producer, of: producers, sequence: sequence, by: callers)
      let sent = ContinuousClock.now
      let receipt = try await member.log.submit(request)
      acknowledged.append(
        Acknowledgement(
          producer: producer, sequence: sequence, id: request.id,
          position: receipt.position.value,
          nanoseconds: (ContinuousClock.now - sent).inNanoseconds))
    }
    return acknowledged
  }

  func readBack() async throws -> [StoredEntry] {
    let (configuration, first) = (configuration, first ?? 1)
    return try await onThread("read-back") {
      try Databases.stored(configuration, after: first - 1)
    }
  }

  /// A batch is a transaction.
  func extras() async throws -> [String: Double] {
    let (configuration, first) = (configuration, first ?? 1)
    let mean = try await onThread("batch-size") {
      var connection = try Connection(configuration)
      let rows = try connection.query(
        """
        SELECT count(*)::float8 / greatest(1, count(DISTINCT xmin::text)) FROM log.events
        WHERE position >= \(first)
        """)
      return try rows[0].decode(Double.self, at: 0)
    }
    batchSize?.note(mean, producers: producers)
    return ["batch": mean]
  }

  func close() async { await member.stop() }
}

/// How large the log's batches were with 256 producers: what the multi-row INSERT does as well.
final class BatchSize: Sendable {
  private let size = Mutex(Batch.commandLimit)

  func note(_ mean: Double, producers: Int) {
    guard producers == 256 else { return }
    size.withLock { $0 = max(1, Int(mean.rounded())) }
  }

  var rows: Int { size.withLock { $0 } }
}

/// INSERT of `batch` rows a statement, each producer on a connection and a thread of its own.
struct InsertStore: AppendStore {
  let first: Int64?
  private let configuration: PostgresConfiguration
  private let batch: Int
  private let sample: StoredEvent
  private let next: NextPosition

  init(_ databases: Databases, batch: Int) async throws {
    let configuration = try databases.makeScratch()
    let last = databases.baseCount
    self.configuration = configuration
    self.batch = batch
    sample = try await onThread("sample") {
      var connection = try Connection(databases.cluster.configuration(Databases.long))
      let events = try LogReader.events(after: Position(last), limit: 1, on: &connection)
      guard let event = events.first else { throw BenchFailure("the long log is empty") }
      return event
    }
    first = last + 1
    next = NextPosition(last + 1)
  }

  func produce(
    _ producer: Int, isOver: @escaping @Sendable () -> Bool
  ) async throws -> [Acknowledgement] {
    try await onThread("insert-\(producer)") {
      var connection = try Connection(configuration)
      var acknowledged: [Acknowledgement] = []
      while !isOver() {
        let start = next.take(batch)
        let rows = (0..<batch).map { sample.again(at: Position(start + Int64($0))) }
        let sent = ContinuousClock.now
        try connection.execute(batch == 1 ? Self.single(rows[0]) : LogStatements.append(rows))
        let nanoseconds = (ContinuousClock.now - sent).inNanoseconds
        for row in rows {
          acknowledged.append(
            Acknowledgement(
              producer: producer, sequence: acknowledged.count, id: row.commandID,
              position: row.position.value, nanoseconds: nanoseconds))
        }
      }
      return acknowledged
    }
  }

  func readBack() async throws -> [StoredEntry] {
    let (configuration, first) = (configuration, first ?? 1)
    return try await onThread("read-back") {
      try Databases.stored(configuration, after: first - 1)
    }
  }

  func extras() async throws -> [String: Double] { batch > 1 ? ["batch": Double(batch)] : [:] }

  private static let insert = """
    INSERT INTO log.events (\(LogStatements.columns))
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    """

  private static func single(_ row: StoredEvent) -> Query {
    Query(
      insert,
      [
        Parameter(row.position.value), Parameter(row.stream.description), Parameter(row.type),
        Parameter(Int16(row.schemaVersion)), .json(bytes: row.data), .json(bytes: row.metadata),
        Parameter(PostgresUUID(bytes: row.commandID.bytes)), Parameter(row.commandHash?.bytes),
        Parameter(PostgresUUID(bytes: row.correlationID.bytes)),
        Parameter(row.causation?.value), Parameter(row.actor.description),
        Parameter(PostgresTimestamp(microsecondsSinceUnixEpoch: row.recordedAt.microseconds)),
        Parameter(row.hash.bytes),
      ])
  }
}

/// Positions for clients that write at the same time.
private final class NextPosition: Sendable {
  private let next: Mutex<Int64>

  init(_ first: Int64) { next = Mutex(first) }

  func take(_ count: Int) -> Int64 {
    next.withLock { next in
      defer { next += Int64(count) }
      return next
    }
  }
}

extension StoredEvent {
  /// The same row for another command at another position.
  fileprivate func again(at position: Position) -> StoredEvent {
    let id = Workload.commandID()
    return StoredEvent(
      position: position, stream: stream, type: type, schemaVersion: schemaVersion, data: data,
      metadata: metadata, commandID: id, commandHash: commandHash, correlationID: id,
      causation: causation, actor: actor, recordedAt: recordedAt, hash: hash)
  }
}
