// What the tests of this folder share.

import Foundation
import Glibc
import Postgres
import TestKit
import Testing

/// Runs what blocks on a thread of its own, so that no test holds up another.
func blocking<Result: Sendable>(
  _ body: @Sendable () throws -> Result
) async throws -> Result {
  try await Blocking(lane: Lane(name: "test-blocking")).run(body)
}

/// Runs a body with a connection to the test's database, on a thread of its own.
@discardableResult
func withConnection<Result: Sendable>(
  _ body: @Sendable (inout Connection) throws -> Result
) async throws -> Result {
  try await blocking {
    var connection = try TestDatabase.current.connect()
    return try body(&connection)
  }
}

private actor Blocking {
  private let lane: Lane
  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(lane: Lane) { self.lane = lane }

  func run<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result {
    try body()
  }
}

/// Runs a body with a pool to the test's database, and closes the pool.
@discardableResult
func withPool<Result: Sendable>(
  lanes: Int, configuration: PostgresConfiguration? = nil,
  configure: (inout PoolOptions) -> Void = { _ in },
  _ body: (Pool) async throws -> Result
) async throws -> Result {
  var options = PoolOptions()
  options.lanes = lanes
  configure(&options)
  let pool = try Pool(configuration ?? TestDatabase.current.configuration, options: options)
  do {
    let result = try await body(pool)
    await pool.close()
    return result
  } catch {
    await pool.close()
    throw error
  }
}

/// The PostgresError that `body` throws; a failure of the test when it throws none.
func postgresError(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
  try #require(
    await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) { try await body() },
    sourceLocation: sourceLocation)
}

/// Waits until a condition holds.
func eventually(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  try await TestKit.eventually("line \(sourceLocation.line) holds", isTrue: condition)
}

/// Keeps statements from ending until the test opens it: what is to happen meanwhile needs no time then.
final class Gate {
  /// Ends once the gate is open.
  static let wait: Query = "SELECT pg_advisory_xact_lock_shared(4711)"
  private var connection: Connection

  init() throws {
    connection = try TestDatabase.current.connect()
    try connection.execute("SELECT pg_advisory_lock(4711)")
  }

  /// Waits until so many statements wait.
  func holds(_ count: Int) async throws {
    try await eventually {
      try connection.query(
        """
        SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted
        """
      ).value() == count
    }
  }

  func open() throws { try connection.execute("SELECT pg_advisory_unlock(4711)") }
}

func openDescriptors() throws -> Int {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

/// Threads of this process whose name starts so.
func threads(named prefix: String) throws -> Int {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").filter { id in
    let name = try? String(contentsOfFile: "/proc/self/task/\(id)/comm", encoding: .utf8)
    return name?.hasPrefix(prefix) == true
  }.count
}

// `#expect` cannot look into a subscript that throws.
extension Row {
  func value<Value: PostgresDecodable>(_ column: Int) throws -> Value {
    try decode(Value.self, at: column)
  }
}

extension Rows {
  /// A value of the first row.
  func value<Value: PostgresDecodable>(_ column: Int = 0) throws -> Value {
    try #require(first).value(column)
  }
}

extension Connection {
  /// Expects a value of a query. `#expect` cannot call what mutates a value without copies.
  mutating func check<Value: PostgresDecodable & Equatable & Sendable>(
    _ query: Query, gives expected: Value, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let value: Value = try self.query(query).value()
    #expect(value == expected, sourceLocation: sourceLocation)
  }
}
