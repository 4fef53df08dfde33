// Leases of agents and gateways: who gives them, and what is known of whoever has one.

import Hosting
import Logging
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.turn, .bounded) struct LeaseTests {
  @Test func `who leads but cannot reach the log gives no lease`() async throws {
    let cluster = try await TestCluster.dedicated()
    let rig = try await APIRig.leading(cluster.makeDatabase())
    let beat = Heartbeat(
      bootID: "b", incarnation: "i", sequence: 0,
      digest: Digest(bytes: [UInt8](repeating: 1, count: Digest.byteCount))
    ).jsonBytes
    // An admin is no agent: that much it says as long as it may say anything.
    let asked = try await rig.post("/v1/agent/heartbeat", beat)
    #expect(asked.status == 403, "\(asked)")
    try await cluster.stop()
    try await eventually("it is out of touch") { rig.member.outOfTouch != nil }
    #expect(
      { if case .leading = rig.member.board.current.standing { true } else { false } }(),
      "it does not know that it may be deposed")
    let cutOff = try await rig.post("/v1/agent/heartbeat", beat)
    #expect(cutOff.status == 503 && cutOff.failure?.code == "outOfTouch", "\(cutOff)")
    try await cluster.start()
    await rig.stop()
  }

  /// A node's agents, heard one after the other by a leader.
  private struct Heard {
    let book = SignalBook()
    let start = ContinuousClock.now
    let lease = SilenceLimits.usual.agentLeaseSeconds

    init() { book.tick(epoch: 5, at: start, couldAppend: true) }

    /// Whether it is taken for the node's only agent.
    func accepts(
      _ incarnation: String, boot: String = "boot", holdsAll: Bool = true, after seconds: Int,
      recorded: String = "first"
    ) -> Bool {
      let speaker = SignalBook.Speaker(
        bootID: boot, incarnation: incarnation, holdsAll: holdsAll)
      return book.heard(
        ID(7), speaker, recorded: ("boot", recorded), at: start + .seconds(seconds)) == .accepted
    }
  }

  @Test func `an agent that was restarted is heard at once, and the one before it no more`() {
    let heard = Heard()
    #expect(heard.accepts("first", after: 0))
    #expect(heard.accepts("second", after: 1))
    #expect(!heard.accepts("first", after: 2), "it lives, so the other was no restart")
    #expect(heard.accepts("second", holdsAll: false, after: 2))
    #expect(heard.accepts("third", after: 3))
    #expect(!heard.accepts("second", after: 4) && !heard.accepts("first", after: 4))
    // Silent for the lease, it is followed by anyone.
    #expect(heard.accepts("first", after: 3 + heard.lease))
  }

  @Test func `beside an agent that lives, one of another boot or without its work is not heard`() {
    let heard = Heard()
    #expect(heard.accepts("first", after: 0))
    #expect(!heard.accepts("second", boot: "other", after: heard.lease - 1))
    #expect(!heard.accepts("second", holdsAll: false, after: heard.lease - 1))
    #expect(heard.accepts("first", holdsAll: false, after: heard.lease - 1))
    #expect(!heard.accepts("second", holdsAll: false, after: heard.lease + 1))
    #expect(heard.accepts("second", holdsAll: false, after: 2 * heard.lease))
  }

  @Test func `a new leader hears one without the work of the recorded agent only after a lease`() {
    let heard = Heard()
    #expect(!heard.accepts("second", holdsAll: false, after: 1))
    #expect(heard.accepts("first", holdsAll: false, after: 1), "it is the recorded one")
    let alone = Heard()
    #expect(!alone.accepts("second", holdsAll: false, after: alone.lease - 1))
    #expect(alone.accepts("second", holdsAll: false, after: alone.lease))
    #expect(Heard().accepts("second", boot: "other", holdsAll: false, after: 1), "it was rebooted")
  }

  @Test func `a gateway that asks is known by what it enforces, also to a new leader`() throws {
    let (book, gateway, start) = (SignalBook(), ID<Gateway>(7), ContinuousClock.now)
    book.tick(epoch: 5, at: start, couldAppend: true)
    book.leased(gateway, enforcing: .empty, at: start)
    #expect(book.gateway(gateway) == nil, "it has no policy yet")
    book.leased(gateway, enforcing: 9, at: start)
    #expect(book.gateway(gateway)?.enforced == 9)
    book.tick(epoch: 20, at: start, couldAppend: true)
    #expect(book.gateway(gateway) == nil)
    book.leased(gateway, enforcing: 9, at: start + .seconds(1))
    book.leased(gateway, enforcing: 9, at: start + .seconds(2))
    let signal = try #require(book.gateway(gateway))
    #expect(signal.enforced == 9 && signal.heardAt == start + .seconds(2))
  }

  @Test(.database) func `a policy that came from another leader is never taken for this one`()
    async throws
  {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let policies = Policies(assignments: Assignments(secret: APIRig.secret, limits: .usual))
    let first = policies.policy(at: rig.member.board.current, past: .empty)
    // What another leader gave out meanwhile, and what was undone since, was never looked at here.
    let between = try await rig.submit(PlaceMark(name: Name(known: "between")), by: admin).position
    try await rig.submit(PlaceMark(name: Name(known: "later")), by: admin)
    let head = rig.member.board.current
    let same = policies.policy(at: head, past: first.position)
    #expect(same.position == first.position)
    #expect(same.head == head.witness, "one that has seen more would not believe an older head")
    let again = policies.policy(at: head, past: between)
    #expect(again.position == head.state.position)
    #expect(again.keys == first.keys && again.teams == first.teams)
    #expect(policies.policy(at: head, past: between).position == again.position)
    await rig.stop()
  }
}
