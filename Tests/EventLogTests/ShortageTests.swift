// The database lacks what it needs: room on its disk, connections. Commands get an error in bounded time,
// and the same wharfd goes on when the shortage is over.

import Foundation
import Glibc
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.timeLimit(.minutes(3))) struct ShortageTests {
  /// A command is answered within its own wait and the statement's, and a little.
  private static let answerSeconds = 8.0

  /// More than fit into what is left of the disk.
  private static let commandsLimit = 4_000

  private func leading(_ database: TestDatabase) async throws -> Rig {
    try await Rig.leading(database) { settings in
      settings.statementTimeout = .seconds(2)
      settings.inbox.waitSeconds = 3
    }
  }

  /// - Returns: the failure that a command got, in time; nil once it was stored.
  private func failure(
    _ rig: Rig, _ name: String, id: CommandID
  ) async throws -> SubmitFailure? {
    let answer = Answer()
    // Apart: one that is never answered must fail the test, not hold it up.
    Task {
      do throws(SubmitFailure) {
        try await rig.send(PlaceMark(name: Name(known: name)), id: id)
        answer.given.withLock { $0 = .some(nil) }
      } catch {
        answer.given.withLock { $0 = error }
      }
    }
    return try await eventually("\(name) is answered", withinSeconds: Self.answerSeconds) {
      answer.given.withLock { $0 }
    }
  }

  private final class Answer: Sendable {
    /// None until it is answered.
    let given = Mutex<SubmitFailure??>(nil)
  }

  /// A full disk needs one that is small: a file system in memory, which only root can mount.
  @Test(
    .enabled(if: geteuid() == 0, "mounting a small disk needs root"),
    arguments: ["table", "journal"])
  func `a full disk: errors in bounded time, then on without a restart`(full: String) async throws {
    let cluster = try await TestCluster.dedicated(
      settings: .init(parameters: ["min_wal_size": "32MB", "max_wal_size": "32MB"]))
    let database = try await cluster.makeDatabase()
    let disk = "\(cluster.folder)/disk"
    try shell(
      "mkdir \(disk) && mount -t tmpfs -o size=48m tmpfs \(disk) && chown --reference=\(cluster.folder)/data \(disk)"
    )
    defer { _ = try? shell("umount -l \(disk) 2> /dev/null || true") }
    if full == "journal" {
      try await cluster.stop()
      try shell(
        """
        cp -a \(cluster.folder)/data/pg_wal \(disk)/pg_wal
        rm -r \(cluster.folder)/data/pg_wal
        ln -s \(disk)/pg_wal \(cluster.folder)/data/pg_wal
        """)
      try await cluster.start()
    }
    let rig = try await leading(database)
    if full == "table" {
      var connection = try database.connect()
      try connection.script("CREATE TABLESPACE small LOCATION '\(disk)'")
      for name in ["TABLE log.events", "INDEX log.events_pkey", "INDEX log.events_command"] {
        try connection.script("ALTER \(name) SET TABLESPACE small")
      }
    }
    try await rig.send(PlaceMark(name: Name(known: "before")))

    // What is left is taken by something else.
    try shell("dd if=/dev/zero of=\(disk)/ballast bs=4k 2> /dev/null || true")
    if full == "journal" { fillJournal(database) }
    let long = String(repeating: "n", count: 50)
    var failed: [(name: String, id: CommandID)] = []
    var stored = 0
    while failed.count < 3, stored < Self.commandsLimit {
      let (name, id) = ("\(long)-\(stored)-\(failed.count)", CommandID.random())
      switch try await failure(rig, name, id: id) {
      case nil: stored += 1
      case .unavailable, .outOfTouch, .outcomeUnknown, .notLeading: failed.append((name, id))
      case .some(let failure):
        Issue.record("it was answered with \(failure)")
        failed.append((name, id))
      }
    }
    #expect(failed.count == 3, "the disk was not full: \(stored) were stored")
    try shell("rm \(disk)/ballast")
    if full == "journal" {
      // PostgreSQL itself went down; it is started anew, wharfd is not.
      try? await cluster.stop(.immediate)
      try await cluster.start()
    }
    for (name, id) in failed {
      try await eventually("\(name) is stored", withinSeconds: 30) {
        try await failure(rig, name, id: id) == nil
      }
    }
    let marks = try rig.verified().count { $0.type == "markPlaced" }
    #expect(marks == 1 + stored + failed.count)
    await rig.stop()
    try await cluster.stop(.immediate)
    try shell("umount -l \(disk)")
    await cluster.remove()
  }

  /// Uses up the journal's files that are there, until none can be added.
  private func fillJournal(_ database: TestDatabase) {
    for _ in 0..<10 {
      _ = try? shell(
        """
        psql -q -d '\(database.url)' > /dev/null 2>&1 \
          -c "SELECT pg_logical_emit_message(true, 'a', 'b'), pg_switch_wal()" || true
        """)
    }
  }

  @Test func `no connection is to be had: errors in bounded time, then on without a restart`()
    async throws
  {
    var settings = TestCluster.Settings()
    settings.maximumConnections = 12
    let cluster = try await TestCluster.dedicated(settings: settings)
    let database = try await cluster.makeDatabase()
    let rig = try await leading(database)
    let pool = try Pool(rig.database)
    let reader = LogReader(pool: pool, keys: PersonKeys(Rig.secret))
    let before = try await reader.events(after: .empty, limit: 1_000)
    let greedy = try Greedy(rig.database)
    try await eventually("others have every connection") { try greedy.takeAll() }
    let id = CommandID.random()
    #expect(try await failure(rig, "meanwhile", id: id) != nil)
    let start = ContinuousClock.now
    await #expect(throws: PostgresError.self) { try await reader.events(after: .empty, limit: 1) }
    #expect(ContinuousClock.now - start < .seconds(15))

    greedy.release()
    try await eventually("commands are stored again", withinSeconds: 30) {
      try await failure(rig, "meanwhile", id: id) == nil
    }
    #expect(try await reader.events(after: .empty, limit: 1_000).starts(with: before))
    #expect(try rig.verified().count { $0.commandID == id } == 1)
    await rig.stop()
    await cluster.remove()
  }
}

/// Takes every connection that there is, also those of others.
private final class Greedy {
  private static let name = "greedy"

  private final class Taken {
    var connection: Connection
    init(_ configuration: PostgresConfiguration) throws {
      connection = try Connection(configuration)
    }
  }

  private let configuration: PostgresConfiguration
  private var taken: [Taken]

  init(_ configuration: PostgresConfiguration) throws {
    var configuration = configuration
    configuration.applicationName = Self.name
    self.configuration = configuration
    taken = [try Taken(configuration)]
  }

  /// - Returns: whether nobody else has one.
  func takeAll() throws -> Bool {
    let ended = try taken[0].connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name <> \(Self.name)
      """
    ).count
    while let next = try? Taken(configuration) { taken.append(next) }
    return ended == 0
  }

  func release() { taken = [] }
}
