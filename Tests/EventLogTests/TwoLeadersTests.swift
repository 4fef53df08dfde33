// Two leaders at once, in process: the old one's append is held up between its statement and its commit,
// and the new one believes that nobody leads. The positions alone decide.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .timeLimit(.minutes(2))) struct TwoLeadersTests {
  private func mark(_ name: String) -> PlaceMark { PlaceMark(name: Name(known: name)) }

  /// A backend that waits for a lock of the table, and what it wants to do.
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
  private func settle(
    _ command: PlaceMark, _ id: CommandID, _ rigs: [Rig]
  ) async throws -> Result<Receipt, SubmitFailure> {
    try await eventually("the fate of a command is known") {
      for rig in rigs {
        do throws(SubmitFailure) {
          return .success(try await rig.send(command, id: id))
        } catch {
          switch error {
          case .refused, .idUsedOtherwise: return .failure(error)
          case .busy, .notLeading, .unavailable, .outOfTouch, .outcomeUnknown: continue
          }
        }
      }
      return nil
    }
  }

  @Test(arguments: ["old", "new"])
  func `one batch wins whole, the other is decided again or refused`(winner: String) async throws {
    let database = TestDatabase.current
    let old = try await Rig.leading(database)
    let new = try Rig(database.configuration, instance: "two")
    try await eventually("two follows") { new.head.standing == .following(address: "http://one") }
    let before = old.head.state.position

    var tailed: [StoredEvent] = []
    let reader = LogReader(pool: try Pool(database.configuration), keys: PersonKeys(Rig.secret))
    func tail() async throws {
      while true {
        let page = try await reader.events(after: tailed.last?.position ?? .empty, limit: 1_000)
        if page.isEmpty { return }
        tailed += page
      }
    }
    try await tail()

    // The old one's batch of two waits between the leader and its place in the log.
    var holder = try database.connect()
    var looker = try database.connect()
    try holder.script("BEGIN; LOCK TABLE log.events IN SHARE MODE")
    let firstID = CommandID.random()
    let contested = Task { try await settle(mark("contested"), firstID, [old, new]) }
    let oldBackend = try await waiting(&looker, 1)[0]
    // Believed gone: only the courtesy row says so.
    try looker.script("UPDATE log.leader SET instance = NULL")
    let both = try await waiting(&looker, 2)
    if winner == "new" {
      // The old one's statement goes on only after the new one's.
      try database.cluster.pause(oldBackend)
    } else {
      for pid in both where pid != oldBackend { try database.cluster.pause(pid) }
    }
    try holder.script("COMMIT")
    let place = Int(before.value)
    try await eventually("one of them is stored") {
      try await tail()
      return tailed.count > place
    }
    let first = tailed[place]
    #expect(first.type == (winner == "old" ? "markPlaced" : "leadershipTaken"))
    for pid in both { try? database.cluster.resume(pid) }
    try await new.leads()
    let second = try await settle(mark("CONTESTED"), .random(), [new])
    let receipt = try await contested.value
    // The name is had once, by whoever came first; whose was refused was told the truth.
    let accepted = [receipt, second].count { if case .success = $0 { true } else { false } }
    #expect(accepted == 1)
    _ = try await settle(mark("after"), .random(), [new]).get()
    try await tail()
    let table = try new.verified()
    #expect(tailed == table, "no gap, and nothing twice")
    #expect(table.count { $0.type == "markPlaced" } == 2)
    #expect(table.count { $0.commandID == firstID } <= 1)
    try await eventually("the old one follows") {
      old.head.standing == .following(address: "http://two")
    }
    await old.stop()
    await new.stop()
  }

  @Test func `a leader that stops leads no more before its row says so`() async throws {
    let database = TestDatabase.current
    let rig = try await Rig.leading(database)
    var holder = try database.connect()
    try holder.script("BEGIN; SELECT FROM log.leader FOR UPDATE")
    async let stopped: Void = rig.stop()
    // Who is told by the row leads at once: nothing is given out by then.
    try await eventually("it leads no more") { rig.head.standing == .following(address: nil) }
    var looker = try database.connect()
    let row = try looker.query("SELECT instance FROM log.leader")[0]
    #expect(try row.decode(String?.self, at: 0) == "one")
    await #expect(throws: SubmitFailure.self) { try await rig.send(mark("late")) }
    try holder.script("COMMIT")
    await stopped
    let after = try looker.query("SELECT instance FROM log.leader")[0]
    #expect(try after.decode(String?.self, at: 0) == nil)
  }
}
