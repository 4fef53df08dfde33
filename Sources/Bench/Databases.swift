// The databases of a run. `wharf_bench_base` holds a log with the agreements that are changed, and
// views of it; every arm that writes starts from a copy, so all of them write into the same table
// with the same rows. `wharf_bench_log` holds a long log for the arms that read. A copy is another
// database than the one its log was written into, so an era begins in it, as after a restore.

import ControlPlane
import EventLog
import Hosting
import Postgres

package struct Databases: Sendable {
  static let base = "wharf_bench_base"
  static let long = "wharf_bench_log"
  static let scratch = "wharf_bench_scratch"
  private static let rowsPerStatement = 1_000

  let cluster: Cluster
  /// How many events a copy of the base holds.
  let baseCount: Int64

  static func prepare(_ cluster: Cluster, events: Int) async throws -> Databases {
    try cluster.create(base)
    let configuration = cluster.configuration(base)
    _ = try Migrator.migrate(configuration)
    let member = try await Member.leading(configuration)
    let requests = try Workload.foundation()
    try await withThrowingTaskGroup { group in
      for part in 0..<64 {
        // Provider and agreement stand beside each other and go to the same task.
        let own = stride(from: 2 * part, to: requests.count, by: 128)
          .flatMap { requests[$0...$0 + 1] }
        group.addTask { for request in own { _ = try await member.log.submit(request) } }
      }
      try await group.waitForAll()
    }
    let head = member.log.board.current
    await member.stop()
    try rebuild(configuration)
    // The event that begins an era is one more.
    let databases = Databases(cluster: cluster, baseCount: head.state.position.value + 1)
    try databases.copyBase(to: long)
    try databases.fill(long, with: events)
    try rebuild(cluster.configuration(long))
    return databases
  }

  private static func rebuild(_ configuration: PostgresConfiguration) throws {
    var connection = try Connection(configuration)
    try connection.script("VACUUM ANALYZE log.events")
    _ = try Rebuild.run(&connection, keys: PersonKeys(Member.secret)) { _ in }
  }

  /// A copy of the base under the name of the scratch database.
  func makeScratch() throws -> PostgresConfiguration {
    try copyBase(to: Self.scratch)
    try cluster.checkpoint()
    return cluster.configuration(Self.scratch)
  }

  private func copyBase(to database: String) throws {
    try cluster.create(database, from: Self.base)
    var connection = try Connection(cluster.configuration(database))
    let head = try Recovery(&connection) { _, _ in }
      .begin(&connection, commandID: Workload.commandID(), seal: Chain.origin)
    guard head.position.value == baseCount else {
      throw BenchFailure("a copy of the base ends at \(head.position), not at \(baseCount)")
    }
  }

  /// Appends events to the log of a database, decided and chained as a leader would, in large
  /// statements and without waiting for the disk.
  func fill(_ database: String, with count: Int) throws {
    var connection = try Connection(cluster.configuration(database))
    try connection.script("SET synchronous_commit = off")
    let keys = PersonKeys.none
    var state = HostingState()
    var hash = Chain.origin
    var page = try LogReader.events(after: .empty, limit: LogReader.pageLimit, on: &connection)
    while !page.isEmpty {
      for event in page { try state.fold(event, keys) }
      hash = page[page.count - 1].hash
      page = try LogReader.events(
        after: state.position, limit: LogReader.pageLimit, on: &connection)
    }
    for start in stride(from: 0, to: count, by: Self.rowsPerStatement) {
      let commands = try (start..<min(count, start + Self.rowsPerStatement)).map { index in
        let request = try Workload.amend(producer: 0, of: 1, sequence: index)
        return PendingCommand(
          request: request, seal: Chain.origin, deadline: nil, answer: { _ in })
      }
      let batch = Batch(commands, after: state, hash: hash, now: .wall, sealing: .nothing)
      precondition(batch.rows.count == commands.count, "each command leads to one event")
      try connection.execute(LogStatements.append(batch.rows))
      state = batch.state
      hash = batch.hash
    }
  }

  /// What stands in the log of a database after a position.
  static func stored(
    _ configuration: PostgresConfiguration, after position: Int64
  ) throws -> [StoredEntry] {
    var connection = try Connection(configuration)
    let rows = try connection.query(
      "SELECT command_id, position FROM log.events WHERE position > \(position) ORDER BY position")
    return try rows.map { row in
      StoredEntry(
        id: CommandID(bytes: try row.decode(PostgresUUID.self, at: 0).bytes),
        position: try row.decode(Int64.self, at: 1))
    }
  }
}
