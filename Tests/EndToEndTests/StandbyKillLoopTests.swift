// The kill loop's arm with a real synchronous standby, which is killed, comes back, or is promoted while the
// primary is gone for good: what was acknowledged stands on whichever serves. The oracle is the clients' list.
// With WHARF_KILL_LOOP_SECONDS the loop runs for that long, with faults by chance.

import Foundation
import Glibc
import Postgres
import TestKit
import Testing

private let loopSeconds = Double(
  ProcessInfo.processInfo.environment["WHARF_KILL_LOOP_SECONDS"] ?? "")

@Suite(.bounded) struct StandbyKillLoopTests {
  /// All happen while the standby is away and a leader's commit waits for it.
  enum Fault: CaseIterable {
    /// Until the leader gives the wait up.
    case waitGivenUp
    case waitCancelled, waitTerminated
    case leaderKilled, primaryKilled
    /// The primary is gone, and the standby was the last to be promoted.
    case promoted
  }

  private static let clients = 16
  private static let standbyName = "second"

  /// A standby that commits wait for.
  private func standby(_ wharfds: Wharfds) async throws -> TestCluster {
    let standby = try await wharfds.cluster.standby(named: Self.standbyName)
    try await wharfds.cluster.waitForStandby(Self.standbyName)
    try await isWaitedFor(wharfds)
    return standby
  }

  private func isWaitedFor(_ wharfds: Wharfds) async throws {
    try await eventually("commits wait for the standby", withinSeconds: 60) {
      try await wharfds.cluster.hasSynchronousStandby()
    }
  }

  /// Who waits, and the last position that could be read while it did: what waits is not among it. In one
  /// statement, whose snapshot is older than what it sees of the sessions: the wait may end at any moment.
  private func waiting(_ wharfds: Wharfds) async throws -> (backend: Int32, head: Int64) {
    try await eventually("an append waits for the standby", withinSeconds: 60) {
      var connection = try wharfds.database.connect()
      return try connection.query(
        """
        SELECT pid, (SELECT coalesce(max(position), 0) FROM log.events)
        FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event = 'SyncRep' AND query ~ 'log.events'
        """
      ).first.map { (try $0.decode(Int32.self, at: 0), try $0.decode(Int64.self, at: 1)) }
    }
  }

  /// Ends what runs under a number of the server's.
  private func call(_ function: String, _ pid: Int32, _ wharfds: Wharfds) throws {
    var connection = try wharfds.database.connect()
    _ = try connection.query(Query("SELECT \(function)($1)", [Parameter(pid)]))
  }

  private func happen(
    _ fault: Fault, _ wharfds: Wharfds, _ standby: inout TestCluster, _ storm: Storm
  ) async throws {
    await standby.killPostmaster()
    let (backend, head) = try await waiting(wharfds)
    let acknowledged = storm.count
    switch fault {
    case .waitGivenUp: break
    case .waitCancelled: try call("pg_cancel_backend", backend, wharfds)
    case .waitTerminated: try call("pg_terminate_backend", backend, wharfds)
    case .leaderKilled:
      let leader = try await wharfds.leading()
      try await wharfds.kill9(leader)
      try call("pg_cancel_backend", backend, wharfds)
      try wharfds.start(leader)
    case .primaryKilled:
      await wharfds.cluster.killPostmaster()
      try await wharfds.cluster.start()
    case .promoted: break
    }
    // Everyone can read it, and nobody may have been told.
    try await eventually("what the standby does not have stands in the table", withinSeconds: 60) {
      try wharfds.head() > head
    }
    if case .promoted = fault {
      let before = wharfds.cluster
      await before.killPostmaster()
      try await standby.start()
      try await standby.promote()
      try await wharfds.move(to: standby)
      await before.remove()
      standby = try await self.standby(wharfds)
    } else {
      // But for answers that were on their way.
      #expect(storm.count <= acknowledged + Self.clients, "\(fault)")
      try await standby.start()
      try await isWaitedFor(wharfds)
    }
    try await storm.goesOn(withinSeconds: 90)
  }

  @Test func `whichever server serves in the end holds all that was acknowledged`() async throws {
    let wharfds = try await Wharfds()
    var standby = try await standby(wharfds)
    let storm = Storm(wharfds, clients: Self.clients)
    var happened: [Fault] = []
    try await storm.during {
      try await storm.goesOn()
      let end = ContinuousClock.now + .seconds(loopSeconds ?? 0)
      // Each once, the last of them the one that shows; then by chance.
      var faults = [Fault.promoted] + Fault.allCases.filter { $0 != .promoted }.shuffled()
      while let fault = faults.popLast()
        ?? (ContinuousClock.now < end ? .allCases.randomElement() : nil)
      {
        do { try await happen(fault, wharfds, &standby, storm) } catch {
          throw TestFailure("\(fault), after \(happened): \(error)\n\(wharfds.said())")
        }
        happened.append(fault)
      }
    }
    try await storm.check()
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    try await wharfds.expectViewsAreTheFold()
    await standby.remove()
    await wharfds.remove()
    if loopSeconds != nil { print("\(happened), \(storm.count) acknowledged") }
  }
}
