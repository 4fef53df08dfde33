// Eras: a log found in another database than it was written into is not led, before a person says so.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct RecoveryTests {
  private func copy(of database: TestDatabase) async throws -> TestDatabase {
    let template = DatabaseTemplate(name: "copy_of_\(database.name)") { copy in
      try shell("pg_dump -d '\(database.url)' | psql -q -v ON_ERROR_STOP=1 -d '\(copy.url)'")
    }
    return try await database.cluster.makeDatabase(template: template)
  }

  private func recover(_ database: PostgresConfiguration) throws -> (Recovery.Finding, Position) {
    var connection = try Connection(database)
    let recovery = try Recovery(&connection) { _, _ in }
    let head = try recovery.begin(
      &connection, commandID: .random(), seal: Digest(bytes: [UInt8](repeating: 1, count: 32)))
    return (recovery.finding, head.position)
  }

  @Test func `a dump restored beside its own log is led only after a new era began`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai")))
    await rig.stop()
    let restored = try await copy(of: .current)
    let early = try Rig(restored.configuration, instance: "early")
    let error = await #expect(throws: LogError.self) { try await early.ended() }
    guard case .otherEra(let recorded, let found) = error else {
      Issue.record("it ended otherwise: \(String(describing: error))")
      return
    }
    #expect(recorded != found && recorded.contains("system ") && found.contains("table "))
    #expect(error?.description.contains("wharfd recover") == true)

    let (finding, era) = try recover(restored.configuration)
    #expect(!finding.isAtHome && finding.head == rig.head.state.position)
    #expect(era == finding.head.next)
    let next = try Rig(restored.configuration, instance: "next")
    try await next.leads()
    #expect(next.head.state.log.era?.position == era)
    try await next.send(RegisterProvider(name: Name(known: "openai")))
    let types = try next.verified().map(\.type)
    #expect(types.count { $0 == "eraBegan" } == 2)
    await next.stop()
    try await TestCluster.shared().drop(restored)
  }

  @Test(arguments: [false, true])
  func `a copy of a log sends nothing on to who leads the original`(
    isRecovered: Bool
  ) async throws {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai")))
    let restored = try await copy(of: .current)
    if isRecovered { _ = try recover(restored.configuration) }
    let copied = try Rig(restored.configuration, instance: "copied")
    // As long as the original's leader lives, in this cluster its session does, too: the copy's row of it
    // looks alive, and is waited for.
    let read = await copied.member.board.wait(
      for: .change(1_000_000, .starting), upTo: .seconds(7_200))
    #expect(read?.standing == .following(address: nil))
    if isRecovered {
      try await copied.leads()
      await copied.stop()
    } else {
      await #expect(throws: LogError.self) { try await copied.ended() }
    }
    guard case .leading = rig.head.standing else {
      Issue.record("the original is led no more")
      return
    }
    await rig.stop()
    try await TestCluster.shared().drop(restored)
  }

  @Test func `a promoted server is another timeline, known at once`() async throws {
    let cluster = try await TestCluster.dedicated(
      settings: TestCluster.Settings(parameters: ["restore_command": "false"]))
    let database = try await cluster.makeDatabase()
    _ = try Migrator.migrate(database.configuration)
    let rig = try Rig(database.configuration)
    try await rig.leads()
    await rig.stop()
    try await cluster.stop()
    // Archive recovery without an archive: it replays what it has, and promotes itself.
    let mark = "\(cluster.folder)/data/recovery.signal"
    _ = FileManager.default.createFile(atPath: mark, contents: Data())
    let owner = try FileManager.default.attributesOfItem(atPath: "\(cluster.folder)/data")
    try FileManager.default.setAttributes(
      [.ownerAccountID: owner[.ownerAccountID]!, .posixPermissions: 0o600], ofItemAtPath: mark)
    try await cluster.start()
    var connection = try Connection(database.configuration)
    try await eventually("the server is promoted") {
      let rows = try connection.query("SELECT pg_is_in_recovery()")
      return try !rows[0].decode(Bool.self, at: 0)
    }
    let promoted = try Rig(database.configuration)
    let error = await #expect(throws: LogError.self) { try await promoted.ended() }
    #expect(error?.description.contains("timeline 1,") == true)
    #expect(error?.description.contains("timeline 2,") == true)
    let (finding, _) = try recover(database.configuration)
    #expect(finding.database.timeline == 2 && finding.era.database.timeline == 1)
    let next = try Rig(database.configuration)
    try await next.leads()
    await next.stop()
    await cluster.remove()
  }

  @Test func `a wharfd with another secret neither leads nor follows, until it is recorded`()
    async throws
  {
    let other = ClusterSecret(bytes: [UInt8](repeating: 8, count: ClusterSecret.byteCount))
    let rig = try await Rig.leading(.current)
    let refused = LogError.otherSecret(
      recorded: Rig.secret.fingerprint, given: other.fingerprint)
    let follower = try Rig(rig.database, instance: "two", secret: other)
    await #expect(throws: refused) { try await follower.ended() }
    await rig.stop()
    let leader = try Rig(rig.database, instance: "two", secret: other)
    await #expect(throws: refused) { try await leader.ended() }
    #expect(throws: refused) {
      try Finalization.run(
        rig.database, level: FormatLevel.current + 1, secret: other, makeCommandID: { .random() })
    }
    for text in ["--secret-file", "wharfd recover --new-secret", "not possible yet"] {
      #expect(refused.description.contains(text))
    }

    // Of one that led while the secret was exchanged, the same.
    var connection = try Connection(rig.database)
    let recovery = try Recovery(&connection) { _, _ in }
    let head = try recovery.record(other, &connection, commandID: .random(), seal: .zero)
    #expect(head.position == recovery.finding.head.next)
    let next = try Rig(rig.database, instance: "two", secret: other)
    try await next.leads()
    let late = try Rig(rig.database, instance: "one")
    await #expect(throws: LogError.self) { try await late.ended() }
    await next.stop()
    _ = try next.verified()
  }

  @Test func `whoever appends meanwhile makes the recovery look again`() async throws {
    let rig = try await Rig.leading(.current)
    var connection = try Connection(rig.database)
    let recovery = try Recovery(&connection) { _, _ in }
    #expect(recovery.finding.isAtHome)
    try await rig.send(RegisterProvider(name: Name(known: "xai")))
    #expect(throws: Recovery.Refused.overtaken(at: recovery.finding.head.next)) {
      try recovery.begin(&connection, commandID: .random(), seal: .zero)
    }
    await rig.stop()
  }
}
