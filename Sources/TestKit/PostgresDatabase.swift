// A fresh database for each test: `@Test(.database) func …`, then `TestDatabase.current`.

import Postgres
import TestTools
import Testing

/// An empty database, or a copy of a template's.
package struct TestDatabase: Sendable {
  package let name: String
  package let cluster: TestCluster

  package var url: String { cluster.url(database: name) }

  package var configuration: PostgresConfiguration {
    get throws { try cluster.configuration(database: name) }
  }

  /// The same database, as another cluster has it: a standby.
  package func on(_ cluster: TestCluster) -> TestDatabase {
    TestDatabase(name: name, cluster: cluster)
  }

  /// A connection for the calling thread, which must be allowed to block for a moment.
  package func connect() throws -> Connection { try Connection(configuration) }

  /// Whether anyone gets a connection from now on; those that there are stay.
  package func allowConnections(_ allowed: Bool) async throws {
    try await cluster.allowConnections(allowed, to: self)
  }

  /// Runs a body over the only connection that there is: all others are ended, and none comes back before
  /// it is done. For what must not be met half done.
  package func alone(_ body: (inout Connection) throws -> Void) async throws {
    var connection = try connect()
    try await allowConnections(false)
    let outcome: Result<Void, any Error>
    do {
      let ended = try connection.query(
        """
        SELECT pg_terminate_backend(pid, 300000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
        """,
        timeout: Pace.stretched(300))
      for row in ended where try !row.decode(Bool.self, at: 0) {
        throw TestFailure("a backend of \(name) does not end")
      }
      outcome = .success(try body(&connection))
    } catch { outcome = .failure(error) }
    try await allowConnections(true)
    try outcome.get()
  }

  /// Makes it the current one for a while: for tests that need more than one.
  package static func with<Result>(
    _ database: TestDatabase, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await $ofThisTest.withValue(database) { try await body() }
  }

  @TaskLocal fileprivate static var ofThisTest: TestDatabase?

  /// The database of the running test, which carries the trait `.database`.
  package static var current: TestDatabase {
    guard let database = ofThisTest else {
      preconditionFailure("the test needs the trait .database")
    }
    return database
  }
}

/// What databases start as: prepared once in a process, then copied for each test.
package struct DatabaseTemplate: Sendable {
  /// Told apart by name: lower-case letters, digits and underscores.
  package let name: String
  /// Fills it. Every connection must be closed at the end.
  let prepare: @Sendable (TestDatabase) async throws -> Void

  package init(name: String, prepare: @escaping @Sendable (TestDatabase) async throws -> Void) {
    self.name = name
    self.prepare = prepare
  }
}

package struct DatabaseTrait: TestTrait, SuiteTrait, TestScoping {
  let template: DatabaseTemplate?

  /// On a suite it gives each of its tests a database, not one to all.
  package var isRecursive: Bool { true }

  /// When it is the test's turn.

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await Turns.take {
      let cluster = try await TestCluster.shared()
      let database = try await cluster.makeDatabase(template: template)
      let outcome: Result<Void, any Error>
      do {
        outcome = .success(
          try await TestDatabase.$ofThisTest.withValue(database) {
            try await function()
          })
      } catch {
        outcome = .failure(error)
      }
      try await cluster.drop(database)
      try outcome.get()
    }
  }
}

extension Trait where Self == DatabaseTrait {
  /// A fresh, empty database.
  package static var database: Self { DatabaseTrait(template: nil) }

  /// A fresh copy of a template.
  package static func database(template: DatabaseTemplate) -> Self {
    DatabaseTrait(template: template)
  }
}
