// A log that came somewhere without the keys of its persons: they are forgotten there for good, in the
// vault too, so that nobody gets a second key, which would open nothing of what there is.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct LostKeysTests {
  /// Person/5 is the first admin.
  private static let admin = Principal(actor: .of(Stream(.person, 5)), role: .admin)
  private static let forgotten = #"{"reason":"(forgotten)"}"#

  @discardableResult
  private func say(_ rig: Rig, _ command: any Command) async throws -> Receipt {
    try await rig.member.submit(
      CommandRequest(
        id: .random(), command: command, principal: Self.admin, reason: Text("Hopper asked")))
  }

  /// A log in which person/5 gave reasons, and invited another; stopped.
  ///
  /// - Parameter named: whether anything but their reasons is sealed. Of who was invited before format level 2
  ///   nothing is: the state has no name that could be missing.
  private func prepared(named: Bool = true) async throws -> Rig {
    let rig = try await Rig.leading(.current)
    if named {
      try await rig.send(
        AdmitFirstAdmin(name: Name(known: "admin"), token: .zero, prefix: Text("whp_first")),
        by: .wharfd)
    }
    try await say(rig, PlaceMark(name: Name(known: "a")))
    try await say(
      rig,
      InvitePerson(
        name: Name(known: "grace"), email: try Email("grace@example.org"), role: .viewer,
        invitation: Digest(bytes: [UInt8](repeating: 3, count: 32))))
    await rig.stop()
    return rig
  }

  private struct Export {
    let log: [[UInt8]]
    let keys: [[UInt8]]

    init(_ database: PostgresConfiguration) throws {
      var connection = try Connection(database)
      var bytes: [UInt8] = []
      let done = try LogExport.run(&connection) { _, _ in
      } write: {
        bytes += $0
      }
      let lines = try KeyTransfer.export(&connection, upTo: done.head).bytes
      log = bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
      keys = lines.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }
  }

  /// As `wharfd import` does it.
  @discardableResult
  private func load(
    _ export: Export, keys: [[UInt8]]?, into database: PostgresConfiguration
  ) throws -> Position {
    _ = try Migrator.migrate(database)
    var connection = try Connection(database)
    var lines = export.log[...]
    let done = try LogImport.run(&connection) { _ in
    } next: {
      lines.popFirst()
    }
    var rest = keys.map { $0[...] }
    _ = try KeyTransfer.load(&connection, of: done, next: keys.map { _ in { rest?.popFirst() } })
    return done.head
  }

  private func recover(_ database: PostgresConfiguration) throws -> Position {
    var connection = try Connection(database)
    return try Recovery(&connection) { _, _ in }
      .begin(&connection, commandID: .random(), seal: .zero).position
  }

  private struct VaultRow: Equatable {
    let person: Int64
    let isThere: Bool
    let forgotten: Int64?
  }

  private func vault(_ database: PostgresConfiguration) throws -> [VaultRow] {
    var connection = try Connection(database)
    return try connection.query(
      "SELECT person, wrapped IS NOT NULL, forgotten_at FROM vault.person_keys ORDER BY person"
    ).map {
      VaultRow(
        person: try $0.decode(Int64.self, at: 0), isThere: try $0.decode(Bool.self, at: 1),
        forgotten: try $0.decode(Int64?.self, at: 2))
    }
  }

  /// A member that leads the log on: what person/5 says is forgotten at once, and every reader has the
  /// state that the leader has.
  private func leadsOn(_ database: PostgresConfiguration) async throws {
    let before = try vault(database)
    let rig = try Rig(database, instance: "next")
    try await rig.leads()
    let receipt = try await say(rig, PlaceMark(name: Name(known: "b")))
    #expect(String(decoding: receipt.events[0].metadata, as: UTF8.self) == Self.forgotten)
    #expect(try vault(database) == before)
    let reader = LogReader(pool: try Pool(database), keys: PersonKeys(Rig.secret))
    #expect(try await reader.state(at: receipt.position) == rig.head.state)
    for event in try await reader.events(after: .empty, limit: 1_000) {
      let shown = try reader.keys.shown(event)
      let text = String(decoding: shown.data + shown.metadata, as: UTF8.self)
      #expect(!text.contains("grace") && !text.contains("Hopper"), "\(text)")
    }
    await rig.stop()
  }

  @Test(arguments: [true, false])
  func `an import without keys gives up whoever has something sealed in it`(named: Bool)
    async throws
  {
    let rig = try await prepared(named: named)
    let export = try Export(rig.database)
    let other = try await TestCluster.shared().makeDatabase()
    let database = try other.configuration
    let head = try load(export, keys: nil, into: database)
    #expect(try vault(database).map(\.person) == vault(rig.database).map(\.person))
    #expect(try vault(database).allSatisfy { !$0.isThere && $0.forgotten == head.value })
    _ = try recover(database)
    try await leadsOn(database)
    try await TestCluster.shared().drop(other)
  }

  @Test(arguments: [true, false])
  func `a recovery gives up whoever has no key in the database that was restored`(named: Bool)
    async throws
  {
    let rig = try await prepared(named: named)
    let export = try Export(rig.database)
    let other = try await TestCluster.shared().makeDatabase()
    let database = try other.configuration
    // A backup of the log alone.
    try load(export, keys: nil, into: database)
    var connection = try Connection(database)
    try connection.execute("DELETE FROM vault.person_keys")
    let era = try recover(database)
    #expect(try vault(database).map(\.person) == vault(rig.database).map(\.person))
    #expect(try vault(database).allSatisfy { !$0.isThere && $0.forgotten == era.value })
    try await leadsOn(database)
    try await TestCluster.shared().drop(other)
  }

  @Test func `keys that come after the log are taken as long as nobody led it on`() async throws {
    let rig = try await prepared()
    let export = try Export(rig.database)
    let other = try await TestCluster.shared().makeDatabase()
    let database = try other.configuration
    try load(export, keys: nil, into: database)
    // Only some of them; then all; and once more without, which takes none away.
    try load(export, keys: [export.keys[0]], into: database)
    #expect(try vault(database).map(\.isThere) == [true, false])
    for keys in [export.keys, export.keys, nil] {
      try load(export, keys: keys, into: database)
      #expect(try vault(database) == vault(rig.database))
    }
    let head = try recover(database)
    #expect(try vault(database) == vault(rig.database))
    let next = try Rig(database, instance: "next")
    try await next.leads()
    #expect(next.head.state.persons.named(Name(known: "grace")) != nil)
    await next.stop()
    #expect(throws: LogImport.Refused.self) { try load(export, keys: export.keys, into: database) }
    #expect(head == rig.head.state.position.next)
    try await TestCluster.shared().drop(other)
  }

  @Test func `keys are refused for whoever was forgotten here, or has another one`() async throws {
    let rig = try await prepared()
    let export = try Export(rig.database)
    let other = try await TestCluster.shared().makeDatabase()
    let database = try other.configuration
    let head = try load(export, keys: nil, into: database)
    var connection = try Connection(database)
    // As keys of later said it, of whom the log does not say it yet.
    try connection.execute(
      VaultStatements.destroy([(id: ID(5), forgotten: Position(head.value + 7))]))
    let before = try vault(database)
    let destroyed = KeyTransfer.Refused.destroyed(ID(5), at: Position(head.value + 7))
    #expect(throws: destroyed) { try load(export, keys: export.keys, into: database) }
    #expect(destroyed.description.contains("export the keys anew"))
    #expect(try vault(database) == before, "all or none")

    let wrapped = VaultKey(Rig.secret).wrap(
      PersonKey(bytes: [UInt8](repeating: 9, count: PersonKey.byteCount)), of: ID(5))
    try connection.execute(
      "UPDATE vault.person_keys SET wrapped = \(wrapped), forgotten_at = NULL WHERE person = 5")
    #expect(throws: KeyTransfer.Refused.otherKey(ID(5))) {
      try load(export, keys: export.keys, into: database)
    }
    try await TestCluster.shared().drop(other)
  }

  @Test func `who lost their key in the log's own database never gets another one`() async throws {
    let rig = try await prepared()
    var connection = try Connection(rig.database)
    try connection.execute("DELETE FROM vault.person_keys")
    try await leadsOn(rig.database)
    #expect(try vault(rig.database).isEmpty)
  }
}
