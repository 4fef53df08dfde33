// Where the database is to wait for a standby, nothing is known to be in the log before the standby has
// it, whoever ends the wait: it is not acknowledged, and nobody shows it, neither who leads nor who follows.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.serialized, .bounded) struct StandbyTests {
  enum Ending: CaseIterable {
    /// By wharfd itself, when a statement takes too long.
    case timeout
    case cancelled, terminated
    /// The server is started anew, and finds its commits in its own log.
    case crashed
  }

  /// Backends whose commit waits for a standby.
  private func waiting(_ database: TestDatabase, query: String) throws -> [Int32] {
    var connection = try database.connect()
    return try connection.query(
      """
      SELECT pid FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event = 'SyncRep' AND query ~ \(query)
      """
    ).map { try $0.decode(Int32.self, at: 0) }
  }

  private func end(_ ending: Ending, _ cluster: TestCluster, _ database: TestDatabase) async throws
  {
    let pids = try await eventually("the append waits for the standby") { () -> [Int32]? in
      let pids = try waiting(database, query: "log.events")
      return pids.isEmpty ? nil : pids
    }
    var connection = try database.connect()
    switch ending {
    case .timeout: break
    case .cancelled: try connection.execute("SELECT pg_cancel_backend(\(pids[0]))")
    case .terminated: try connection.execute("SELECT pg_terminate_backend(\(pids[0]))")
    case .crashed:
      await cluster.killPostmaster()
      try await cluster.start()
    }
  }

  @Test(arguments: Ending.allCases)
  func `what may not be on the standby is neither acknowledged nor shown`(
    ending: Ending
  ) async throws {
    let cluster = try await TestCluster.dedicated(settings: .init(fsync: true))
    let database = try await cluster.makeDatabase()
    // The others leave it time to be ended by somebody else.
    let patience = ending == .timeout ? Pace.stretched(1) : .seconds(600)
    let rig = try await Rig.leading(database) {
      $0.statementTimeout = patience
      $0.inbox.waitSeconds = 100
    }
    let follower = try Rig(database.configuration, instance: "two") {
      $0.statementTimeout = patience
    }
    let first = try await rig.send(PlaceMark(name: Name(known: "first")))
    try await eventually("two has read it") { follower.head.state.position >= first.position }
    try await cluster.waitForStandby("nobody")
    try await eventually("commits wait") {
      var connection = try database.connect()
      let names = try connection.query("SHOW synchronous_standby_names")
      return try names[0].decode(String.self, at: 0) == "nobody"
    }
    let id = CommandID.random()
    let isAnswered = Flag()
    let sent = Task {
      let answer = try await rig.send(PlaceMark(name: Name(known: "second")), id: id)
      isAnswered.set()
      return answer
    }
    try await end(ending, cluster, database)
    // It stands in the table for everyone to read, and both know that it may not be kept.
    try await eventually("both wait until it is confirmed", withinSeconds: 60) {
      try waiting(database, query: "pg_logical_emit_message").count >= 2
    }
    var connection = try database.connect()
    let stored = try connection.query(
      "SELECT position FROM log.events WHERE type = 'markPlaced' ORDER BY position")
    #expect(stored.count == 2)
    #expect(!isAnswered.isSet)
    let position = Position(try stored[1].decode(Int64.self, at: 0))
    for member in [rig, follower] { #expect(member.head.state.position < position) }
    // The standby is there, or not waited for any more.
    try await cluster.waitForStandby(nil)
    let receipt = try await sent.value
    #expect(receipt.position == position)
    for member in [rig, follower] {
      try await eventually("both show it", withinSeconds: 30) {
        member.head.state.position >= position
      }
    }
    // Where its session ended, the other one may have been quicker.
    let leader = try await eventually("one of them leads") { () -> Rig? in
      [rig, follower].first { if case .leading = $0.head.standing { true } else { false } }
    }
    let again = try await leader.send(PlaceMark(name: Name(known: "second")), id: id)
    #expect(again == receipt)
    // While nobody could lead, nobody filled the log by trying.
    let events = try rig.verified()
    #expect(events.filter { $0.type == LeadershipTaken.type }.count <= 4, "\(events.map(\.type))")
    await rig.stop()
    await follower.stop()
    await cluster.remove()
  }
}

/// Set once, from anywhere.
private final class Flag: Sendable {
  private let value = Mutex(false)

  var isSet: Bool { value.withLock { $0 } }
  func set() { value.withLock { $0 = true } }
}
