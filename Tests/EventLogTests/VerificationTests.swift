// Proof that the record is unaltered: whatever one byte is changed, the position is named.

import Hosting
import Migrations
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database) struct VerificationTests {
  @Test(arguments: [
    "stream = 'provider/999'", "type = 'providerReinstated'", "schema_version = 2",
    "data = '{\"name\":\"evil\",\"title\":\"xAI\"}'", "metadata = '{\"reason\":\"x\"}'",
    "command_id = gen_random_uuid()", "command_hash = sha256('x')",
    "correlation_id = gen_random_uuid()", "causation = 1", "actor = 'person/7'",
    "recorded_at = recorded_at + interval '1 microsecond'", "hash = sha256('x')",
  ])
  func `a changed column is found at its position`(change: String) async throws {
    let rig = try await Rig.leading(.current)
    let receipt = try await rig.send(RegisterProvider(name: Name(known: "xai")))
    try await rig.send(RegisterProvider(name: Name(known: "openai")))
    await rig.stop()
    _ = try Verification.run(rig.database) { _, _ in }
    var connection = try Connection(rig.database)
    try connection.script(
      """
      ALTER TABLE log.events DISABLE TRIGGER ALL;
      UPDATE log.events SET \(change) WHERE position = \(receipt.position);
      """)
    let error = #expect(throws: LogError.self) { try Verification.run(rig.database) { _, _ in } }
    guard case .broken(let position, _) = error else {
      Issue.record("found something else: \(String(describing: error))")
      return
    }
    #expect(position == receipt.position)
  }

  @Test func `a row taken out is a gap`() async throws {
    let rig = try await Rig.leading(.current)
    let receipt = try await rig.send(RegisterProvider(name: Name(known: "xai")))
    try await rig.send(RegisterProvider(name: Name(known: "openai")))
    await rig.stop()
    var connection = try Connection(rig.database)
    try connection.script(
      """
      ALTER TABLE log.events DISABLE TRIGGER ALL;
      DELETE FROM log.events WHERE position = \(receipt.position);
      """)
    let gap = LogError.gap(expected: receipt.position, found: receipt.position.next)
    #expect(throws: gap) {
      try Verification.run(rig.database) { _, _ in }
    }
  }

  @Test(arguments: [
    "UPDATE log.events SET actor = 'x'", "DELETE FROM log.events", "TRUNCATE log.events",
  ])
  func `the table refuses to be changed`(sql: String) async throws {
    let rig = try await Rig.leading(.current)
    await rig.stop()
    var connection = try Connection(rig.database)
    do {
      try connection.script(sql)
      Issue.record("the table was changed")
    } catch {
      #expect(error.description.contains("append-only"))
    }
  }

  @Test func `migrations are applied once, and a newer database is refused`() async throws {
    let database = try TestDatabase.current.configuration
    let applied = try Migrator.migrate(database)
    #expect(applied.count > 0)
    let again = try Migrator.migrate(database)
    #expect(again.isEmpty)
    var connection = try Connection(database)
    try connection.execute(
      "INSERT INTO log.migrations (number, name, sha256) VALUES (9999, 'later', sha256('x'))")
    let newest = try #require(Migrations.all.last)
    #expect(throws: LogError.databaseNewer(applied: 9999, known: newest.number)) {
      try Migrator.migrate(database)
    }
  }
}
