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
}

extension ShortageStore {
  /// - Returns: the failure that a command got; nil once it was stored.
  /// - Throws: when it got none in time.
  func failure(_ name: String, id: CommandID) async throws -> SubmitFailure? {
    let answer = Answer()
    // Apart: one that is never answered must fail the test, not hold it up.
    Task {
      let failure = await place(name, id: id)
      answer.given.withLock { $0 = .some(failure) }
    }
    return try await eventually("\(name) is answered", withinSeconds: answerSeconds) {
      answer.given.withLock { $0 }
    }
  }
}

/// A command is answered within its own wait and the statement's, and what a busy machine takes.
private let answerSeconds = 12.0

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

  /// A member that waits for less long than others do.
  static func hasty(_ database: TestDatabase) async throws -> Rig {
    try await Rig.leading(database) { settings in
      settings.statementTimeout = .seconds(2)
      settings.inbox.waitSeconds = 3
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

  private static let timeout = Duration.seconds(2)

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
    try line.connection.execute(insert, timeout: flaw == .waits ? nil : Self.timeout)
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
    connection = try Connection(configuration, timeout: .seconds(2))
  }
}
