// A peer: message-db, an event store in PostgreSQL functions. Given as the URL of a database that has
// it, or as a folder of its release, whose `install.sh` is then run on the private cluster.

import Glibc
import Hosting
import Postgres

struct MessageDB: Sendable {
  private static let installTimeoutSeconds = 120
  private static let database = "wharf_bench_message_db"
  private static let scratch = "wharf_bench_message_db_scratch"

  /// What the database says of itself.
  let version: String
  private let configuration: PostgresConfiguration
  /// The cluster that copies are made on; none where the database is not ours.
  private let cluster: Cluster?

  /// - Returns: none, with the reason told, where there is nothing to install or to reach.
  static func prepare(
    _ place: String, _ cluster: Cluster, tell: (String) -> Void
  ) throws -> MessageDB? {
    let isThere = place.hasPrefix("postgres://") || place.hasPrefix("postgresql://")
    if !isThere, try !install(place, cluster, tell: tell) { return nil }
    let configuration =
      isThere ? try PostgresConfiguration(place) : cluster.configuration(database)
    do {
      var connection = try Connection(configuration)
      let rows = try connection.query("SELECT message_store.message_store_version()::text")
      return MessageDB(
        version: try rows[0].decode(String.self, at: 0), configuration: configuration,
        cluster: isThere ? nil : cluster)
    } catch {
      tell("message-db is left out: \(error)")
      return nil
    }
  }

  private static func install(
    _ release: String, _ cluster: Cluster, tell: (String) -> Void
  ) throws -> Bool {
    let folders = ["\(release)/database", release]
    guard let place = folders.first(where: { access("\($0)/install.sh", R_OK) == 0 }) else {
      tell("message-db is left out: there is no install.sh in \(release) or its folder database")
      return false
    }
    guard let folder = cluster.folder else {
      tell("message-db is left out: it is installed on a private cluster only; name a URL")
      return false
    }
    try cluster.drop(database)
    let log = "\(folder)/message-db.log"
    let code = try ChildProcess.run(
      ["bash", "./install.sh"], in: place, log: log,
      environment: [
        "PGHOST": folder, "PGPORT": "\(Cluster.port)", "PGUSER": "postgres",
        "DATABASE_NAME": database, "CREATE_DATABASE": "on",
      ],
      withinSeconds: installTimeoutSeconds)
    guard code == 0 else {
      tell("message-db is left out: its install.sh failed: \(TextFile.tail(log))")
      return false
    }
    return true
  }

  /// On a copy of what was installed. A database that is not ours is written into as it is.
  func store() async throws -> any AppendStore {
    let (installed, cluster) = (configuration, cluster)
    return try await onThread("message-db") {
      var configuration = installed
      if let cluster {
        try cluster.create(Self.scratch, from: Self.database)
        try cluster.checkpoint()
        configuration = cluster.configuration(Self.scratch)
      }
      var connection = try Connection(configuration)
      let rows = try connection.query(
        "SELECT coalesce(max(global_position), 0)::int8 FROM message_store.messages")
      return MessageDBStore(
        configuration: configuration, last: try rows[0].decode(Int64.self, at: 0))
    }
  }
}

/// `write_message` with an event of the same size, each producer on its own connection and stream. The
/// streams are of one category, as those of Wharf's arm are of one kind: within it message-db writes one
/// after another, so that its readers miss none.
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
