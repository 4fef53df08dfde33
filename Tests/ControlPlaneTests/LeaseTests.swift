// Leases of agents and gateways: who gives them, and what is known of whoever has one.

import HashTreeCollections
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

  @Test(.database) func `a policy that came from another leader is never taken for this one`()
    async throws
  {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let policies = OlderPolicies(assignments: Assignments(secret: APIRig.secret, limits: .usual))
    let before = rig.member.board.current
    let first = policies.policy(at: before, epoch: 1, lastChange: .empty)
    // What another leader gave out meanwhile, and what was undone since, was never looked at here.
    let epoch = try await rig.submit(PlaceMark(name: Name(known: "between")), by: admin).position
    try await rig.submit(PlaceMark(name: Name(known: "later")), by: admin)
    let head = rig.member.board.current
    let same = policies.policy(at: head, epoch: 1, lastChange: .empty)
    #expect(same.position == first.position, "a mark changes nothing that gateways go by")
    #expect(same.head == head.witness, "one that has seen more would not believe an older head")
    let again = policies.policy(at: head, epoch: epoch, lastChange: .empty)
    #expect(again.position == head.state.position && again.hasContent(of: first))
    #expect(policies.policy(at: head, epoch: epoch, lastChange: .empty).position == again.position)
    await rig.stop()
  }

  @Test(.database)
  func `a removed gateway is told so, and believed only when it says that it left`()
    async throws
  {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let (edge, stranger) = (Secret(text: "wharf-gateway-edge"), Secret(text: "wharf-gateway-none"))
    try await rig.submit(
      RegisterGateway(name: Name(known: "edge"), credential: edge.digest), by: admin)
    let query = "?address=here&incarnation="
    for process in ["first", "second"] {
      #expect(try await rig.get("/v1/gateway/policy\(query)\(process)", token: edge).status == 200)
    }
    try await rig.submit(RemoveGateway(gateway: Name(known: "edge")), by: admin)

    let left = LeaseCall(enforced: nil).jsonBytes
    @Sendable func says(_ path: String, _ process: String, _ token: Secret) async throws -> Int {
      try await rig.post("/v1/gateway/\(path)\(query)\(process)", left, token: token).status
    }
    func living() -> [String] {
      rig.member.board.current.state.gatewayProcesses.values.map(\.incarnation).sorted()
    }
    #expect(try await says("lease", "first", edge) == 410, "whatever it asks, it is told")
    let report = PolicyEnforced(position: 1, address: "here").jsonBytes
    let reported = try await rig.post("/v1/gateway/enforced\(query)first", report, token: edge)
    #expect(reported.failure?.code == LeaseRefusal.gatewayRemoved)
    #expect(try await says("left", "first", stranger) == 401)
    #expect(try await says("left", "third", edge) == 410, "the log names no such process")
    #expect(try await rig.get("/v1/gateways/enforced", token: edge).status == 401)
    #expect(living() == ["first", "second"])
    #expect(try await says("left", "first", edge) == 204)
    #expect(living() == ["second"])
    // Nothing of it may serve any more: so nothing that it says is heard.
    try await rig.submit(VouchGatewayOff(gateway: Name(known: "edge")), by: admin)
    #expect(try await says("left", "second", edge) == 401)
    await rig.stop()
  }

  @Test(.database) func `who asks what is enforced is held until it is`() async throws {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let edge = Secret(text: "wharf-gateway-edge")
    try await rig.submit(
      RegisterGateway(name: Name(known: "edge"), credential: edge.digest), by: admin)
    let query = "?address=here&incarnation=first"
    #expect(try await rig.get("/v1/gateway/policy\(query)", token: edge).status == 200)
    let head = rig.member.board.current.state.position
    let path = "/v1/gateways/enforced?position=\(head)"
    @Sendable func holds(waiting seconds: Int) async throws -> Bool {
      let answer = try await rig.get("\(path)&wait=\(seconds)")
      let items = try ItemsReply<EnforcementItem>(jsonBytes: Array(answer.text.utf8)).items
      return items.allSatisfy { $0.holds(head) }
    }
    for seconds in [0, 1] { #expect(try await !holds(waiting: seconds), "nobody said so") }
    async let held = holds(waiting: 60)
    try await rig.submit(PlaceMark(name: Name(known: "meanwhile")), by: admin)
    let report = PolicyEnforced(position: head, address: "here").jsonBytes
    #expect(try await rig.post("/v1/gateway/enforced\(query)", report, token: edge).status == 200)
    #expect(try await held)
    await rig.stop()
  }

  @Test(.database) func `a removed gateway that was registered anew leaves as both`() async throws {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let edge = Secret(text: "wharf-gateway-edge")
    let query = "?address=here&incarnation=first"
    for name in ["edge", "rim"] {
      try await rig.submit(
        RegisterGateway(name: Name(known: name), credential: edge.digest), by: admin)
      #expect(try await rig.get("/v1/gateway/policy\(query)", token: edge).status == 200)
      if name == "edge" {
        try await rig.submit(RemoveGateway(gateway: Name(known: name)), by: admin)
      }
    }
    #expect(rig.member.board.current.state.gatewayProcesses.count == 2)
    let left = try await rig.post(
      "/v1/gateway/left\(query)", LeaseCall(enforced: nil).jsonBytes, token: edge)
    #expect(left.status == 204 && rig.member.board.current.state.gatewayProcesses.isEmpty)
    await rig.stop()
  }

  @Test(.database) func `what no team with a key may know of changes no policy`() async throws {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let policies = OlderPolicies(assignments: Assignments(secret: APIRig.secret, limits: .usual))
    func position() -> Position {
      policies.policy(at: rig.member.board.current, epoch: 1, lastChange: .empty).position
    }
    let first = position()
    let team = Name(known: "copilot")
    try await rig.submit(RegisterTeam(name: team, audience: .internal), by: admin)
    try await rig.submit(RegisterProvider(name: Name(known: "xai")), by: admin)
    #expect(position() == first)
    let key = try await rig.submit(
      IssueKey(
        team: team, name: Name(known: "laptop"), secret: .numbered(5), prefix: "wk_abc", until: nil),
      by: admin)
    #expect(position() == key.position)
    await rig.stop()
  }
}
