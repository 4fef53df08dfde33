// A peer: message-db, an event store in PostgreSQL functions. Given as the URL of a database that has
// it, or as a folder of its release, whose `install.sh` is then run on the private cluster.

import Glibc
import Hosting
import Postgres

struct MessageDB: Sendable {
  private static let installTimeoutSeconds = 120
  private static let database = "wharf_bench_message_db"

  private let configuration: PostgresConfiguration

  /// - Returns: none, with the reason told, where there is nothing to install or to reach.
  static func prepare(
    _ place: String, _ cluster: Cluster, tell: (String) -> Void
  ) throws -> MessageDB? {
    let configuration: PostgresConfiguration
    if place.hasPrefix("postgres://") || place.hasPrefix("postgresql://") {
      configuration = try PostgresConfiguration(place)
    } else {
      guard access("\(place)/install.sh", R_OK) == 0, let folder = cluster.folder else {
        tell("message-db is left out: there is no \(place)/install.sh, or the cluster is not ours")
        return nil
      }
      try cluster.drop(database)
      let log = "\(folder)/message-db.log"
      let code = try ChildProcess.run(
        ["bash", "./install.sh"], in: place, log: log,
        environment: ["PGHOST": folder, "PGUSER": "postgres", "DATABASE_NAME": database],
        withinSeconds: installTimeoutSeconds)
      guard code == 0 else {
        tell("message-db is left out: its install.sh failed: \(TextFile.tail(log))")
        return nil
      }
      configuration = cluster.configuration(database)
    }
    do {
      var connection = try Connection(configuration)
      try connection.execute("SELECT message_store.message_store_version()")
    } catch {
      tell("message-db is left out: \(error)")
      return nil
    }
    return MessageDB(configuration: configuration)
  }

  func store() async throws -> any AppendStore {
    let configuration = configuration
    let last = try await onThread("message-db") {
      var connection = try Connection(configuration)
      let rows = try connection.query(
        "SELECT coalesce(max(global_position), 0)::int8 FROM message_store.messages")
      return try rows[0].decode(Int64.self, at: 0)
    }
    return MessageDBStore(configuration: configuration, last: last)
  }
}

/// `write_message` with an event of the same size, each producer on its own connection and stream.
private struct MessageDBStore: AppendStore {
  let configuration: PostgresConfiguration
  let last: Int64
  /// Its positions come from a sequence, which may leave gaps.
  let first: Int64? = nil

  private static let data = """
    {"terms":{"scope":["evaluation","fineTuning","inference","training"],\
    "audiences":["external","internal"],"from":"2025-05-01T00:00:00.000000Z",\
    "until":"2035-05-01T00:00:00.000000Z","noticeDays":90}}
    """
  private static let metadata = """
    {"reason":"agreed by mail after the quarterly review with the provider, see the file"}
    """

  func produce(
    _ producer: Int, isOver: @escaping @Sendable () -> Bool
  ) async throws -> [Acknowledgement] {
    let configuration = configuration
    return try await onThread("message-db-\(producer)") {
      var connection = try Connection(configuration)
      try connection.script("SET search_path = message_store, public")
      var acknowledged: [Acknowledgement] = []
      while !isOver() {
        let id = Workload.commandID()
        let sent = ContinuousClock.now
        try connection.execute(
          """
          SELECT write_message(\(id.description)::varchar, \("agreement-\(producer)")::varchar,
            'agreementAmended'::varchar, \(Self.data)::jsonb, \(Self.metadata)::jsonb)
          """)
        acknowledged.append(
          Acknowledgement(
            producer: producer, sequence: acknowledged.count, id: id, position: nil,
            nanoseconds: (ContinuousClock.now - sent).inNanoseconds))
      }
      return acknowledged
    }
  }

  func readBack() async throws -> [StoredEntry] {
    let (configuration, last) = (configuration, last)
    return try await onThread("read-back") {
      var connection = try Connection(configuration)
      let rows = try connection.query(
        """
        SELECT id, global_position FROM message_store.messages WHERE global_position > \(last)
        ORDER BY global_position
        """)
      return try rows.map { row in
        StoredEntry(
          id: CommandID(bytes: try row.decode(PostgresUUID.self, at: 0).bytes),
          position: try row.decode(Int64.self, at: 1))
      }
    }
  }
}
