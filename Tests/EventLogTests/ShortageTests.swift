// The database lacks what it needs: connections, or time; `FullDiskTests` have it lack room on its disk.
// Commands get an error in bounded time, and the same wharfd goes on when the shortage is over.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.turn, .bounded) struct ShortageTests {
  /// A command gets an error in bounded time while the database lacks something, and the same store goes on
  /// when that is over.
  ///
  /// - Parameter lack: takes it away; what it returns gives it back.
  private func faults(
    _ store: some ShortageStore, recoverySeconds: Double = Pace.patienceSeconds,
    lack: () async throws -> () async throws -> Void,
    meanwhile: () async throws -> Void = {}
  ) async throws -> [Fault] {
    var faults = Faults()
    let before = try await store.failure("before", id: .random())
    faults.note("it stores nothing: \(before!)", unless: before == nil)
    let end = try await lack()
    let id = CommandID.random()
    do {
      let answer = try await store.failure("meanwhile", id: id)
      faults.note("it stored what it cannot have stored", unless: answer != nil)
      try await meanwhile()
    } catch is TestFailure {
      faults.note("no answer in bounded time", unless: false)
    }
    try await end()
    do {
      try await eventually("commands are stored again", withinSeconds: recoverySeconds) {
        try await store.failure("meanwhile", id: id) == nil
      }
      let count = try await store.count(of: id)
      faults.note("a command is stored \(count) times", unless: count == 1)
    } catch is TestFailure {
      faults.note("commands are not stored again", unless: false)
    }
    return faults.all
  }

  /// What the database lacks, on a cluster of the test's own.
  enum Lack: String, CaseIterable, Sendable, CustomStringConvertible {
    case connections = "no connection is to be had"
    case answers = "its backends are stalled"

    var description: String { rawValue }

    /// - Returns: gives it back.
    fileprivate func begin(_ database: TestDatabase) async throws -> () async throws -> Void {
      switch self {
      case .connections:
        let greedy = try Greedy(database.configuration)
        try await eventually("others have every connection") { try greedy.takeAll() }
        return { greedy.release() }
      case .answers:
        // Nor is there a way around them: a new connection would be answered.
        try await database.allowConnections(false)
        let pids = try await database.cluster.backendPIDs(database: database.name)
        for pid in pids { try database.cluster.pause(pid) }
        return {
          for pid in pids { try? database.cluster.resume(pid) }
          try await database.allowConnections(true)
        }
      }
    }
  }

  private func cluster() async throws -> TestCluster {
    var settings = TestCluster.Settings(fsync: true)
    settings.maximumConnections = 12
    return try await TestCluster.dedicated(settings: settings)
  }

  @Test(arguments: Lack.allCases)
  func `errors in bounded time, then on without a restart, when`(lack: Lack) async throws {
    let cluster = try await cluster()
    let database = try await cluster.makeDatabase()
    let rig = try await Rig.hasty(database)
    let reader = LogReader(pool: try Pool(rig.database), keys: PersonKeys(Rig.secret))
    let before = try await reader.events(after: .empty, limit: 1_000)
    let found = try await faults(rig, lack: { try await lack.begin(database) }) {
      // Nor do readers wait without bound.
      guard lack == .connections else { return }
      let watch = Stopwatch()
      await #expect(throws: PostgresError.self) { try await reader.events(after: .empty, limit: 1) }
      #expect(watch.seconds < 15)
    }
    #expect(found == [])
    #expect(try await reader.events(after: .empty, limit: 1_000).starts(with: before))
    await rig.stop()
    await cluster.remove()
  }

  @Test(arguments: Lack.allCases)
  func `stores that wait without bound or stay broken are found out, when`(
    lack: Lack
  ) async throws {
    let cluster = try await cluster()
    for flaw in FragileStore.Flaw.allCases {
      let database = try await cluster.makeDatabase()
      let store = try FragileStore(flaw, database.configuration)
      // One that stays broken does so for ever.
      let recoverySeconds = flaw == .staysBroken ? 2 : Pace.patienceSeconds
      let found = try await faults(store, recoverySeconds: recoverySeconds) {
        try await lack.begin(database)
      }
      switch flaw {
      case .none: #expect(found == [])
      case .waits: #expect(found.first == Fault("no answer in bounded time"))
      case .staysBroken: #expect(found == [Fault("commands are not stored again")])
      }
      await store.end()
    }
    await cluster.remove()
  }
}

/// Takes every connection that there is, also those of others.
private final class Greedy {
  private static let name = "greedy"

  private let configuration: PostgresConfiguration
  private var taken: [Line]

  init(_ configuration: PostgresConfiguration) throws {
    var configuration = configuration
    configuration.applicationName = Self.name
    self.configuration = configuration
    taken = [try Line(configuration)]
  }

  /// - Returns: whether nobody else has one.
  func takeAll() throws -> Bool {
    let ended = try taken[0].connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name <> \(Self.name)
      """
    ).count
    while let next = try? Line(configuration) { taken.append(next) }
    return ended == 0
  }

  func release() { taken = [] }
}
