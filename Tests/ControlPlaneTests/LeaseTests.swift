// Leases of agents and gateways: who gives them, and what is known of whoever has one.

import Hosting
import Logging
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.timeLimit(.minutes(2))) struct LeaseTests {
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
    try await eventually("it is out of touch", withinSeconds: 30) { rig.member.outOfTouch != nil }
    #expect(
      { if case .leading = rig.member.board.current.standing { true } else { false } }(),
      "it does not know that it may be deposed")
    let cutOff = try await rig.post("/v1/agent/heartbeat", beat)
    #expect(cutOff.status == 503 && cutOff.failure?.code == "outOfTouch", "\(cutOff)")
    try await cluster.start()
    await rig.stop()
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
