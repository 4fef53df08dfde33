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

/// Waits until a condition holds, at most so long.
func eventually(
  within limit: Duration = .seconds(10), sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("it did not come about within \(limit)", sourceLocation: sourceLocation)
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
