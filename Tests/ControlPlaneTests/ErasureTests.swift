// Forgetting, carried out on a real database beside a live projector: nothing that the database holds
// shows the person any more, down to the bytes of its files; and whatever is killed, it gets done.

import Foundation
import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

/// A wharfd's parts that have to do with persons, in process.
private final class Wharfd: Sendable {
  let member: LogMember
  let snapshots: SnapshotStore
  private let tasks: [Task<Void, any Error>]
  private let isDead = Flag()
  /// Whether its eraser was stopped.
  var isKilled: Bool { isDead.isSet }

  /// - Parameter dieAfter: a step after which its eraser stops for good.
  init(
    _ database: PostgresConfiguration, instance: String = "one", dieAfter: Eraser.Step? = nil
  ) async throws {
    _ = try Migrator.migrate(database)
    let keys = PersonKeys(LogRig.secret)
    var limits = SnapshotLimits()
    limits.intervalEvents = 20
    snapshots = SnapshotStore(secret: LogRig.secret, keys: keys, limits: limits, logger: .quiet)
    var settings = LogSettings(
      database: database, instance: instance, address: "http://\(instance)",
      makeCommandID: { .random() })
    settings.keys = keys
    settings.snapshots = snapshots
    settings.pollInterval = .milliseconds(100)
    let member = try LogMember(settings: settings, secret: LogRig.secret, logger: .quiet)
    self.member = member
    let projector = try Projector(
      board: member.board, database: database, keys: keys, logger: .quiet, snapshots: snapshots)
    let snapshotter = try Snapshotter(
      board: member.board, store: snapshots, database: database, logger: .quiet)
    let eraser = try Eraser(
      member: member, snapshots: snapshots, database: database, makeCommandID: { .random() },
      logger: .quiet
    ) { [isDead] step in
      if step == dieAfter { isDead.set() }
      if isDead.isSet { throw ViewsTestFailure(description: "killed after \(step)") }
    }
    tasks = [
      Task { try await member.run() }, Task { try await projector.run() },
      Task { await snapshotter.run() }, Task { try await eraser.run() },
    ]
  }

  var state: HostingState { member.board.current.state }

  func leads() async throws {
    try await eventually("it leads") { [member] in
      if case .leading = member.board.current.standing { true } else { false }
    }
  }

  @discardableResult
  func say(
    _ command: any Command, _ reason: String? = nil,
    by principal: Principal = Principal(actor: .of(Stream(.person, 4)), role: .admin)
  ) async throws -> Receipt {
    try await member.submit(
      CommandRequest(
        id: .random(), command: command, principal: principal, reason: reason.map { try! Text($0) })
    )
  }

  func stop() async {
    for task in tasks[1...] { task.cancel() }
    for task in tasks[1...] { _ = try? await task.value }
    member.stop()
    _ = try? await tasks[0].value
  }
}

@Suite(.database) struct ErasureTests {
  private static let name = "zyxgrace-hopper"
  private static let email = "zyxgrace@navy.example"
  private static let reason = "zyx since the moth was found"
  private static let marks = ["zyxgrace", "navy.example", "zyx since"]

  /// A log in which grace did something, with snapshots and views of it.
  private func told(_ wharfd: Wharfd) async throws -> (person: ID<Person>, before: Position) {
    try await wharfd.leads()
    try await wharfd.say(
      AdmitFirstAdmin(name: Name(known: "admin"), token: .zero, prefix: Text("whp_first")),
      by: .wharfd)
    let digest = { Digest(bytes: (0..<32).map { _ in .random(in: .min ... .max) }) }
    let person = ID<Person>(
      try await wharfd.say(
        InvitePerson(
          name: Name(known: Self.name), email: try Email(Self.email), role: .operator,
          invitation: digest())
      ).events[0].stream.origin)
    try await wharfd.say(
      AcceptInvitation(token: digest(), prefix: Text("wp_grace")),
      by: Principal(actor: .of(person.stream), role: .invited))
    let grace = Principal(actor: .of(person.stream), role: .operator)
    for index in 0..<60 {
      try await wharfd.say(PlaceMark(name: Name(known: "m\(index)")), Self.reason, by: grace)
    }
    let before = wharfd.state.position
    try await viewsReach(before)
    try await eventually("there are snapshots") {
      try await onThread { connection in
        let rows = try connection.query("SELECT count(*) FROM log.snapshots WHERE position > 30")
        return try rows[0].decode(Int64.self, at: 0) > 0
      }
    }
    return (person, before)
  }

  /// Every table of the database by COPY, and every file of it.
  private func findings(_ needles: [[UInt8]]) async throws -> [String] {
    let folder = TestDatabase.current.cluster.folder
    return try await onThread { connection in
      var found: [String] = []
      let tables = try connection.query(
        """
        SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r'
        """
      ).map { try $0.decode(String.self, at: 0) }
      for table in tables {
        var bytes: [UInt8] = []
        try connection.copyOut("COPY \(table) TO STDOUT") { bytes += $0 }
        for needle in needles where bytes.contains(needle) { found.append("table \(table)") }
      }
      try connection.script("CHECKPOINT")
      let number = try connection.query(
        "SELECT oid::text FROM pg_database WHERE datname = current_database()")[0]
        .decode(String.self, at: 0)
      let files = "\(folder)/data/base/\(number)"
      for file in try FileManager.default.contentsOfDirectory(atPath: files) {
        let bytes = [UInt8](FileManager.default.contents(atPath: "\(files)/\(file)") ?? Data())
        for needle in needles where bytes.contains(needle) {
          let relation = try connection.query(
            "SELECT coalesce(max(oid::regclass::text), 'none') FROM pg_class WHERE relfilenode = \(Int64(file.prefix { $0.isNumber }) ?? 0)::int8::oid"
          )
          found.append(
            "file \(file) of \(try relation[0].decode(String.self, at: 0)) holds \(String(decoding: needle, as: UTF8.self))"
          )
        }
      }
      return found
    }
  }

  /// What of the views a role may read, found by reading it.
  private func rights(of role: String) async throws -> [String] {
    try await onThread { connection in
      try connection.script("SET ROLE \(role)")
      var rights: [String] = []
      for (place, statement) in [
        ("views.deployments", "SELECT * FROM views.deployments"),
        ("views.persons.name", "SELECT name FROM views.persons"),
        ("views.persons.email", "SELECT email FROM views.persons"),
        ("views.timeline", "SELECT * FROM views.timeline"),
      ] {
        do throws(PostgresError) {
          try connection.script(statement)
          rights.append(place)
        } catch { try #require(error.sqlState == "42501", "\(error)") }
      }
      return rights
    }
  }

  private func erased(_ wharfd: Wharfd, _ person: ID<Person>) async throws {
    try await eventually("\(person) is erased") {
      wharfd.state.persons[person]?.erased != nil
    }
  }

  private var needles: [[UInt8]] { Self.marks.map { Array($0.utf8) } }

  @Test func `nothing in the database shows who was forgotten, nor any file of it`() async throws {
    let wharfd = try await Wharfd(TestDatabase.current.configuration)
    let (person, before) = try await told(wharfd)
    // An analyst reads the views, and of persons only names.
    let analyst = "analyst_of_\(TestDatabase.current.name)"
    try await onThread {
      try $0.script(
        """
        CREATE ROLE \(analyst);
        GRANT USAGE ON SCHEMA views TO \(analyst);
        GRANT SELECT ON views.deployments TO \(analyst);
        GRANT SELECT (name) ON views.persons TO \(analyst);
        """)
    }
    let rights = try await rights(of: analyst)
    #expect(rights == ["views.deployments", "views.persons.name"])
    // The check can see: views and their statistics are full of her.
    try await onThread { try $0.script("ANALYZE") }
    let wrapped = try await onThread { connection in
      try connection.query(
        "SELECT wrapped FROM vault.person_keys WHERE person = \(person.position.value)")[0]
        .decode([UInt8].self, at: 0)
    }
    let earlier = try await findings(needles + [wrapped])
    for place in ["views.persons", "views.timeline", "vault.person_keys"] {
      #expect(earlier.contains { $0.hasPrefix("file") && $0.contains(place) }, "\(earlier)")
    }
    for place in ["pg_statistic", "log.events", "log.snapshot"] {
      #expect(!earlier.contains { $0.contains(place) }, "\(earlier)")
    }
    let forgotten = try await wharfd.say(ForgetPerson(person: .name(Name(known: Self.name))))
    // The projector is kept busy all the while.
    for index in 0..<40 { try await wharfd.say(PlaceMark(name: Name(known: "later\(index)"))) }
    try await erased(wharfd, person)
    for index in 0..<10 { try await wharfd.say(PlaceMark(name: Name(known: "last\(index)"))) }
    try await viewsReach(wharfd.state.position)
    try await onThread { try $0.script("ANALYZE") }
    let left = try await findings(needles + [wrapped])
    #expect(left == [])
    // The views were made anew meanwhile; who might read them still may, and no more.
    #expect(try await self.rights(of: analyst) == rights)
    try await onThread { try $0.script("DROP OWNED BY \(analyst); DROP ROLE \(analyst)") }

    try await onThread { connection in
      try expectViewsEqualTheFold(&connection)
      let rows = try connection.query(
        """
        SELECT p.name, p.email, p.status, count(t.*) FILTER (WHERE t.actor = '(forgotten)'),
          count(t.*) FILTER (WHERE t.reason = '(forgotten)')
        FROM views.persons p JOIN views.timeline t ON t.actor_id = p.id
        WHERE p.id = \(person.description) GROUP BY 1, 2, 3
        """)
      #expect(try rows[0].decode(String.self, at: 0) == "(forgotten)")
      #expect(try rows[0].decode(String.self, at: 1) == "(forgotten)")
      #expect(try rows[0].decode(String.self, at: 2) == "forgotten")
      #expect(try rows[0].decode(Int64.self, at: 3) == 61)
      #expect(try rows[0].decode(Int64.self, at: 4) == 60)
    }
    // As of every position, in this program and in one that comes later.
    let database = try TestDatabase.current.configuration
    let fresh = PersonKeys(LogRig.secret)
    let readers = [
      LogReader(pool: try Pool(database), keys: wharfd.member.keys, snapshots: wharfd.snapshots),
      LogReader(
        pool: try Pool(database), keys: fresh,
        snapshots: SnapshotStore(secret: LogRig.secret, keys: fresh, logger: .quiet)),
    ]
    for reader in readers {
      for position in person.position.value...forgotten.position.value {
        let state = try await reader.state(at: Position(position))
        try #require(state.persons[person]?.label == "(forgotten)", "as of \(position)")
        try #require(state.persons[person]?.email == .forgotten)
      }
      for event in try await reader.events(after: .empty, limit: 1_000) {
        let (data, metadata) = try reader.keys.shown(event)
        let text = String(decoding: data + metadata, as: UTF8.self)
        try #require(!Self.marks.contains { text.contains($0) }, "\(event.position)")
        if event.actor == .of(person.stream), event.position <= before, event.type == "markPlaced" {
          #expect(text.contains(#"{"reason":"(forgotten)"}"#))
        }
      }
    }
    await wharfd.stop()
    let sound = try Verification.run(database) { _, _ in }
    #expect(sound.position == wharfd.state.position)
    // Snapshots were made anew where they were, and the name is free.
    let again = try await Wharfd(database, instance: "two")
    try await again.leads()
    #expect(again.state.persons == wharfd.state.persons)
    try await again.say(
      InvitePerson(name: Name(known: Self.name), role: .viewer, invitation: .zero.changed()))
    #expect(again.state.persons.named(Name(known: Self.name))?.id != person)
    await again.stop()
  }

  @Test(arguments: Eraser.Step.allCases)
  func `killed at any step, the next leader does it again`(step: Eraser.Step) async throws {
    let database = try TestDatabase.current.configuration
    let first = try await Wharfd(database, dieAfter: step)
    let (person, _) = try await told(first)
    try await first.say(ForgetPerson(person: .name(Name(known: Self.name))))
    try await eventually("it is killed") { first.isKilled }
    try await Task.sleep(for: .milliseconds(700))
    #expect(first.state.persons[person]?.erased == nil)
    await first.stop()
    let second = try await Wharfd(database, instance: "two")
    try await second.leads()
    try await erased(second, person)
    #expect(try await findings(needles) == [])
    await second.stop()
    // Nothing is left to do, so nothing more is appended.
    let third = try await Wharfd(database, instance: "three")
    try await third.leads()
    let position = third.state.position
    try await Task.sleep(for: .milliseconds(800))
    #expect(third.state.position == position)
    await third.stop()
  }

  @Test func `a wharfd that is behind holds the end back, and is awaited`() async throws {
    let database = try TestDatabase.current.configuration
    let leader = try await Wharfd(database)
    let (person, _) = try await told(leader)
    let other = try await Wharfd(database, instance: "two")
    try await eventually("it follows") {
      other.state.position >= leader.state.position
    }
    // As one that lives and reads on no more, for as long as its row is there: its position stays, and it was
    // seen later than now.
    _ = try await onThread { connection in
      try connection.execute(
        """
        INSERT INTO log.members (instance, address, format_level, seen_at, position)
        VALUES ('stuck', 'http://stuck', 2, clock_timestamp() + interval '1 hour', 20)
        """)
    }
    try await leader.say(ForgetPerson(person: .name(Name(known: Self.name))))
    try await Task.sleep(for: .seconds(2))
    #expect(leader.state.persons[person]?.erased == nil)
    _ = try await onThread {
      try $0.execute("DELETE FROM log.members WHERE instance = 'stuck'")
    }
    try await erased(leader, person)
    let reader = LogReader(pool: try Pool(database), keys: other.member.keys)
    #expect(try await reader.state(at: Position(40)).persons[person]?.label == "(forgotten)")
    await other.stop()
    await leader.stop()
  }

  @Test func `a reader of the old views holds the end back`() async throws {
    let database = try TestDatabase.current.configuration
    let wharfd = try await Wharfd(database)
    let (person, _) = try await told(wharfd)
    let (isReading, isRead) = (Flag(), Flag())
    let reading = Task {
      try await onThread { connection in
        try connection.transaction { connection in
          _ = try connection.query("SELECT count(*) FROM views.persons")
          isReading.set()
          while !isRead.isSet { usleep(20_000) }
        }
      }
    }
    try await eventually("the views are read") { isReading.isSet }
    try await wharfd.say(ForgetPerson(person: .name(Name(known: Self.name))))
    try await Task.sleep(for: .seconds(3))
    #expect(wharfd.state.persons[person]?.erased == nil)
    isRead.set()
    try await reading.value
    try await erased(wharfd, person)
    #expect(try await findings(needles) == [])
    await wharfd.stop()
  }

  @Test func `a key that comes back with an old copy of the vault is destroyed again`() async throws
  {
    let database = try TestDatabase.current.configuration
    let first = try await Wharfd(database)
    let (person, _) = try await told(first)
    let wrapped = try await onThread { connection in
      try connection.query(
        "SELECT wrapped FROM vault.person_keys WHERE person = \(person.position.value)")[0]
        .decode([UInt8].self, at: 0)
    }
    try await first.say(ForgetPerson(person: .name(Name(known: Self.name))))
    try await erased(first, person)
    await first.stop()
    _ = try await onThread { connection in
      try connection.execute(
        """
        UPDATE vault.person_keys SET wrapped = \(wrapped), forgotten_at = NULL
        WHERE person = \(person.position.value)
        """)
    }
    let second = try await Wharfd(database, instance: "two")
    try await second.leads()
    try await eventually("the key is gone") {
      try await onThread {
        try $0.query("SELECT count(*) FROM vault.person_keys WHERE wrapped IS NOT NULL")[0]
          .decode(Int64.self, at: 0) == 1
      }
    }
    try await eventually("its bytes are gone") {
      try await findings([wrapped]) == []
    }
    await second.stop()
  }
}

extension Digest {
  /// Another digest.
  fileprivate func changed() -> Digest { Digest(bytes: [1] + bytes.dropFirst()) }
}
