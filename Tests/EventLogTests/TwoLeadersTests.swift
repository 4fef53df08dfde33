// Two leaders at once, in process: the old one's append is held up between its statement and its commit,
// and the new one believes that nobody leads. The positions alone decide.

import Hosting
import Postgres
import TestKit
import Testing
import Time

@testable import EventLog

/// Returns what it finds wrong with a log's two leaders.
private struct TwoLeadersCheck {
  let log: any LeadersUnderTest
  let database: TestDatabase
  private var tailed: [LogEntry] = []

  init(_ log: any LeadersUnderTest, _ database: TestDatabase) {
    self.log = log
    self.database = database
  }

  /// Backends that wait for a lock of the table, in the order in which they came.
  private func waiting(_ connection: inout Connection, _ count: Int) async throws -> [Int32] {
    try await eventually("\(count) wait for the lock") {
      let rows = try connection.query(
        """
        SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND datname = current_database() ORDER BY query_start
        """)
      return rows.count >= count ? try rows.map { try $0.decode(Int32.self, at: 0) } : nil
    }
  }

  /// Sends as a client must: again under its id, to whoever leads.
  private static func settle(
    _ mark: String, _ id: CommandID = .random(), _ members: [Member], _ log: any LeadersUnderTest
  ) async throws -> MarkAnswer {
    try await eventually("the fate of a command is known") {
      for member in members {
        let answer = try await log.place(mark, id: id, by: member)
        if answer != .unknown { return answer }
      }
      return nil
    }
  }

  private mutating func tail() async throws {
    while true {
      let page = try await log.tail(after: tailed.last?.position ?? 0)
      if page.isEmpty { return }
      tailed += page
    }
  }

  /// - Parameter winner: whose statement goes on first.
  mutating func faults(winner: Member) async throws -> [Fault] {
    var faults = Faults()
    try await tail()
    let place = tailed.count
    // The old one's append waits between the leader and its place in the log.
    var holder = try database.connect()
    var looker = try database.connect()
    try holder.script("BEGIN; LOCK TABLE \(log.table) IN SHARE MODE")
    let firstID = CommandID.random()
    let contested = Task { [log] in
      try await Self.settle("contested", firstID, [.old, .new], log)
    }
    let oldBackend = try await waiting(&looker, 1)[0]
    try await log.takeOver()
    let both = try await waiting(&looker, 2)
    // The other one's statement goes on only after the winner's.
    for pid in both where (pid == oldBackend) == (winner == .new) {
      try database.cluster.pause(pid)
    }
    try holder.script("COMMIT")
    try await eventually("one of them is stored") {
      try await tail()
      return tailed.count > place
    }
    let first = tailed[place]
    faults.note(
      "who came first is not first: \(first)",
      unless: first.mark == (winner == .old ? "contested" : nil))
    for pid in both { try? database.cluster.resume(pid) }
    try await log.newLeads()
    // The new one led. One that is starved for long is taken for gone, and the old one leads again.
    let second = try await Self.settle("CONTESTED", .random(), [.new, .old], log)
    // The name is had once, by whoever came first; whose was refused was told the truth.
    let accepted = [try await contested.value, second].count { $0 == .stored }
    faults.note("a name that is had once was given \(accepted) times", unless: accepted == 1)
    let last = try await Self.settle("after", .random(), [.new, .old], log)
    faults.note("nobody goes on", unless: last == .stored)
    try await eventually("the late statement is over") {
      try looker.query(
        "SELECT FROM pg_stat_activity WHERE pid = \(oldBackend) AND state = 'active'"
      ).count == 0
    }
    try await tail()
    let table = try await log.rows
    faults.note("the tail is not the table", unless: tailed == table)
    faults.note(
      "positions are not contiguous",
      unless: table.map(\.position) == table.indices.map { Int64($0) + 1 })
    // Nor is one command stored twice, whose second answer was lost.
    let marks = table.compactMap { $0.mark?.lowercased() }
    faults.note(
      "these marks are stored: \(marks)", unless: marks.sorted() == ["after", "contested"])
    if faults.all.isEmpty { try await log.oneFollows() }
    return faults.all
  }
}

@Suite(.database, .bounded) struct TwoLeadersTests {
  private func faults(_ log: any LeadersUnderTest, winner: Member) async throws -> [Fault] {
    var check = TwoLeadersCheck(log, .current)
    let faults = try await check.faults(winner: winner)
    await log.end()
    return faults
  }

  @Test(arguments: [Member.old, .new])
  func `one batch wins whole, the other is decided again or refused`(winner: Member) async throws {
    let found = try await faults(WharfLeaders(.current), winner: winner)
    #expect(found == [])
  }

  @Test(arguments: ToyLeaders.Flaw.allCases, [Member.old, .new])
  func `leaders whose late statements land are found out`(
    flaw: ToyLeaders.Flaw, winner: Member
  ) async throws {
    let found = try await faults(ToyLeaders(flaw, .current), winner: winner)
    #expect(found.isEmpty == (flaw == .none), "\(found)")
  }

  @Test func `a leader that stops leads no more before its row says so`() async throws {
    let database = TestDatabase.current
    let rig = try await Rig.leading(database)
    var holder = try database.connect()
    // Its beats go on; only what says that it stepped down is held up.
    try holder.script(
      """
      CREATE FUNCTION log.hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
      CREATE TRIGGER hold BEFORE UPDATE ON log.leader FOR EACH ROW
        WHEN (NEW.instance IS NULL) EXECUTE FUNCTION log.hold();
      SELECT pg_advisory_lock(1);
      """)
    async let stopped: Void = rig.stop()
    // Who is told by the row leads at once: nothing is given out by then.
    try await eventually("it leads no more") { rig.head.standing == .following(address: nil) }
    var looker = try database.connect()
    let row = try looker.query("SELECT instance FROM log.leader")[0]
    #expect(try row.decode(String?.self, at: 0) == "one")
    await #expect(throws: SubmitFailure.self) {
      try await rig.send(PlaceMark(name: Name(known: "late")))
    }
    try holder.script("SELECT pg_advisory_unlock(1)")
    await stopped
    let after = try looker.query("SELECT instance FROM log.leader")[0]
    #expect(try after.decode(String?.self, at: 0) == nil)
  }

  @Test func `a leader that is stopped while the database is away leads no more either`()
    async throws
  {
    let database = TestDatabase.current
    _ = try Migrator.migrate(database.configuration)
    let proxy = try PostgresProxy(server: database.cluster.folder)
    let clock = TestClock()
    let rig = try Rig(PostgresConfiguration(proxy.url(database: database.name))) {
      $0.clocks = clock.clocks
    }
    try await rig.leads()
    proxy.close()
    proxy.cut()
    clock.move(by: .seconds(LogMember.touchSeconds) - .milliseconds(1))
    #expect(rig.member.isInTouch)
    clock.move(by: .milliseconds(1))
    #expect(!rig.member.isInTouch && rig.member.outOfTouch?.seconds == LogMember.touchSeconds)
    await #expect(throws: SubmitFailure.outOfTouch(OutOfTouch(seconds: LogMember.touchSeconds))) {
      try await rig.send(PlaceMark(name: Name(known: "in-vain")))
    }
    guard case .leading = rig.head.standing else { throw TestFailure("it might come back") }
    await clock.moving { await rig.stop() }
    #expect(rig.head.standing == .following(address: nil))
  }
}
