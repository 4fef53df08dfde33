// The reconciler and the leader on clocks that the test moves: a node is lost for its silence by these clocks,
// however much or little time passes beside them.

import Hosting
import Planner
import Postgres
import TestKit
import Testing
import Time
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct SilenceByTheClockTests {
  private static let limits = SilenceLimits(nodeLostSeconds: 75)
  /// Shorter than what counts as a stall of the leader, after which every node has all of its time again.
  private static let step = Duration.milliseconds(500)

  /// The database's clock is the log's, and the test moves it as well: by so many seconds.
  private func moveDatabase(to seconds: Double, _ connection: inout Connection) throws {
    try connection.script("UPDATE shifted.clock SET ahead = make_interval(secs => \(seconds))")
  }

  @Test func `a node that is silent is lost when the clock says so, and none before`() async throws
  {
    let clock = TestClock()
    let database = TestDatabase.current
    var mover = try database.connect()
    // What stands before pg_catalog on the search path shadows it.
    try mover.script(
      """
      CREATE SCHEMA shifted;
      CREATE TABLE shifted.clock AS SELECT interval '0' AS ahead;
      CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
        $$ SELECT pg_catalog.clock_timestamp() + ahead FROM shifted.clock $$;
      ALTER DATABASE \(database.name) SET search_path = shifted, pg_catalog, public;
      """)
    let rig = try await APIRig.leading(database) { $0.clocks = clock.clocks }
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let join = Secret(text: "wharf-join-1")
    let node = ID<Node>(
      try await rig.submit(IssueJoinToken(token: join.digest, validHours: 1), by: admin).position)
    try await rig.submit(
      JoinNode(
        name: "n1", credential: Secret(text: "wharf-node-n1").digest, facts: .devices(1)),
      by: .joining(node))
    let signals = SignalBook(limits: Self.limits)
    let reconciler = Reconciler(
      member: rig.member, signals: signals, makeCommandID: { clock.clocks.makeCommandID() },
      logger: .quiet)
    let running = Task { try await reconciler.run() }
    try await eventually("it leads") { signals.hearingSince != nil }
    let spoke = clock.now
    let speaker = SignalBook.Speaker(bootID: "boot", incarnation: "first", holdsAll: true)
    #expect(signals.heard(node, speaker, recorded: ("boot", "first"), at: spoke) == .accepted)
    func isLost() -> Bool { rig.member.board.current.state.nodes[node]?.status == .lost }

    var steps = 0
    while !isLost() {
      try #require(signals.hearingSince == spoke, "the leader stalled, by its clock")
      try #require(clock.now - spoke <= .seconds(Self.limits.nodeLostSeconds) + Self.step)
      steps += 1
      try moveDatabase(to: Double(steps) * (Self.step / .seconds(1)), &mover)
      clock.move(by: Self.step)
      // Wakes the leader, which beats as often as its clock says, and the reconciler behind it.
      try await rig.submit(PlaceMark(name: Name(known: "step-\(steps)")), by: admin)
      let now = clock.now
      try await eventually("there is a pass at each step") {
        isLost() || signals.tickedAt.map { $0 >= now } ?? false
      }
    }
    #expect(clock.now - spoke >= .seconds(Self.limits.nodeLostSeconds))
    running.cancel()
    try await running.value
    await clock.moving { await rig.stop() }
  }
}
