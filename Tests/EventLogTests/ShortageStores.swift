// Stores of marks for the checks of what a database may lack: Wharf's, and a small one that is right, or
// wrong in one way.

import Hosting
import Postgres
import Synchronization
import TestKit

@testable import EventLog

/// A store of marks that meets a database which lacks something.
protocol ShortageStore: Sendable {
  /// - Returns: nil once it is stored.
  func place(_ name: String, id: CommandID) async -> SubmitFailure?
  /// How often a command is stored; without one, how many are.
  func count(of id: CommandID?) async throws -> Int
  /// Its own limits together: an answer may take so long and be in time.
  var longestAnswer: Duration { get }
  /// Beside those: until somebody is let run to notice, as a calm machine counts it.
  var noticedSeconds: Double { get }
}

/// What stores are told to wait for, on a machine as slow as it was when that was first asked.
enum Hasty {
  private static let slowness = Pace.stretch
  static let statementTimeout = Duration.seconds(2 * slowness)
  static let connectTimeout = Duration.seconds(2 * slowness)
  static let waitSeconds = Int((3 * slowness).rounded(.up))
}

extension ShortageStore {
  var noticedSeconds: Double { 8 }

  /// - Returns: the failure that a command got; nil once it was stored.
  /// - Throws: when it got none in time.
  func failure(_ name: String, id: CommandID) async throws -> SubmitFailure? {
    let answer = Answer()
    // Apart: one that is never answered must fail the test, not hold it up.
    Task {
      let failure = await place(name, id: id)
      answer.given.withLock { $0 = .some(failure) }
    }
    let (watch, start) = (Stopwatch(), ContinuousClock.now)
    while true {
      let isLate =
        watch.seconds > noticedSeconds && ContinuousClock.now - start > longestAnswer * 2
      if let failure = answer.given.withLock({ $0 }) { return failure }
      if isLate { throw TestFailure("no answer within twice \(longestAnswer)") }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}

private final class Answer: Sendable {
  /// None until it is answered.
  let given = Mutex<SubmitFailure??>(nil)
}

extension Rig: ShortageStore {
  func place(_ name: String, id: CommandID) async -> SubmitFailure? {
    do throws(SubmitFailure) { try await send(PlaceMark(name: Name(known: name)), id: id) } catch {
      return error
    }
    return nil
  }

  /// Verified, too.
  func count(of id: CommandID?) throws -> Int {
    try verified().count { $0.type == MarkPlaced.type && (id == nil || $0.commandID == id) }
  }

  var longestAnswer: Duration { Hasty.statementTimeout * 2 + .seconds(Hasty.waitSeconds) }

  /// A member that waits for less long than others do.
  static func hasty(_ database: TestDatabase) async throws -> Rig {
    try await Rig.leading(database) { settings in
      settings.statementTimeout = Hasty.statementTimeout
      settings.inbox.waitSeconds = Hasty.waitSeconds
    }
  }
}

/// A small store over one connection of its own.
actor FragileStore: ShortageStore {
  enum Flaw: CaseIterable {
    case none
    /// Its statements have no limit, and it tries again until one is stored.
    case waits
    /// Keeps the connection that it had.
    case staysBroken
  }

  /// One that waits without bound has no limits, and is never late: it is not watched for long.
  nonisolated var longestAnswer: Duration {
    flaw == .waits ? .zero : Hasty.statementTimeout + Hasty.connectTimeout * 2
  }
  nonisolated var noticedSeconds: Double { flaw == .waits ? 2 : 8 }

  private let lane: Lane
  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
  private let flaw: Flaw
  private let database: PostgresConfiguration
  private var line: Line?
  private var isOver = false

  init(_ flaw: Flaw, _ database: PostgresConfiguration) throws {
    lane = try Lane(name: "fragile")
    self.flaw = flaw
    self.database = database
    let line = try Line(database)
    try line.connection.script("CREATE TABLE toy (id uuid PRIMARY KEY, name text)")
    self.line = line
  }

  func end() { isOver = true }

  func place(_ name: String, id: CommandID) async -> SubmitFailure? {
    while !isOver {
      do {
        try store(name, id)
        return nil
      } catch {
        if flaw != .waits { return .outcomeUnknown("\(error)") }
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
    return .busy
  }

  private func store(_ name: String, _ id: CommandID) throws {
    if line?.connection.isBroken == true, flaw != .staysBroken { line = nil }
    let line = try line ?? Line(database)
    self.line = line
    let insert = Query(
      "INSERT INTO toy VALUES ($1, $2) ON CONFLICT DO NOTHING",
      [Parameter(PostgresUUID(bytes: id.bytes)), Parameter(name)])
    try line.connection.execute(
      insert, timeout: flaw == .waits ? .seconds(36_000) : Hasty.statementTimeout)
  }

  func count(of id: CommandID?) throws -> Int {
    var connection = try Connection(database)
    return try connection.query(
      Query(
        "SELECT FROM toy WHERE id = coalesce($1, id)",
        [Parameter(id.map { PostgresUUID(bytes: $0.bytes) })])
    ).count
  }
}

/// A connection that a list or an optional can hold.
final class Line {
  var connection: Connection
  init(_ configuration: PostgresConfiguration) throws {
    connection = try Connection(configuration, timeout: Hasty.connectTimeout)
  }
}
