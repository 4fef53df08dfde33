// Nodes: how they join, what their reports prove, and when their devices are free again.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct NodeJoinTests {
  private let now = World.start
  private let invited = given(IssueJoinToken(token: .numbered(1), validHours: 2))
  private let join = JoinNode(name: "n1", credential: .numbered(2), facts: .devices(1))

  @Test func `a join token makes one node`() {
    given().when(IssueJoinToken(token: .numbered(1), validHours: 2))
      .then(JoinTokenIssued(token: .numbered(1), until: now.adding(seconds: 7_200)))
      .when(IssueJoinToken(token: .numbered(1), validHours: 2)).thenRefused("secretInUse")
    let joined = invited.when(join, by: .joining(ID(1)))
      .then(NodeJoined(name: "n1", credential: .numbered(2), facts: .devices(1)))
    let state = joined.world.state
    #expect(state.principal(presenting: .numbered(1), now: now) == nil)
    #expect(state.principal(presenting: .numbered(2), now: now)?.role == .agent)
    joined.when(join, by: .joining(ID(1))).thenRefused("joinTokenSpent")
  }

  @Test func `a spent token stays spent after its node was removed`() {
    invited.and(join, by: .joining(ID(1))).and(RemoveNode(node: "n1", poweredOff: false))
      .when(join, by: .joining(ID(1))).thenRefused("joinTokenSpent")
  }

  @Test func `a token is good for an hour to a month`() {
    for hours in [0, -1, 24 * 30 + 1] {
      given().when(IssueJoinToken(token: .numbered(1), validHours: hours))
        .thenRefused("validityOutOfRange")
    }
  }

  @Test func `a name or a credential that is taken, and facts that cannot be, are refused`() {
    let second = invited.and(join, by: .joining(ID(1)))
      .and(IssueJoinToken(token: .numbered(3), validHours: 2))
    let joining = Principal.joining(ID(3))
    second.when(join, by: joining).thenRefused("nameTaken")
    second.when(JoinNode(name: "n2", credential: .numbered(2), facts: .devices(1)), by: joining)
      .thenRefused("secretInUse")
    var twice = NodeFacts.devices(2)
    twice.devices[1].id = "d0"
    second.when(JoinNode(name: "n2", credential: .numbered(4), facts: twice), by: joining)
      .thenRefused("factsOutOfRange")
    second.when(
      JoinNode(name: "n2", credential: .numbered(4), facts: .devices(1, cpuMillis: .min)),
      by: joining
    ).thenRefused("factsOutOfRange")
    second.when(join).thenRefused("notAllowed")
  }
}

@Suite struct NodeTests {
  @Test func `cordoning is done once, and undone once`() {
    let cordoned = Given.deployed.when(CordonNode(node: "n1")).then(NodeCordoned())
    cordoned.when(CordonNode(node: "n1")).thenNothing()
    cordoned.when(UncordonNode(node: "n1")).then(NodeUncordoned())
      .when(UncordonNode(node: "n1")).thenNothing()
    given().when(CordonNode(node: "x")).thenRefused("unknownNode")
    given().when(UncordonNode(node: "x")).thenRefused("unknownNode")
  }

  @Test func `a node is lost and returns once each, by wharfd alone`() {
    let n1 = Given.placed.world.n1
    let lose = DeclareNodeLost(node: n1, silentSeconds: 80)
    let lost = Given.placed.when(lose, by: .wharfd).then(NodeLost(silentSeconds: 80))
    #expect(lost.world.state.attempts.count == 2)
    lost.when(lose, by: .wharfd).thenNothing()
    lost.when(DeclareNodeReturned(node: n1), by: .wharfd).then(NodeReturned())
      .when(DeclareNodeReturned(node: n1), by: .wharfd).thenNothing()
    Given.placed.when(lose).thenRefused("notAllowed")
    Given.placed.when(DeclareNodeReturned(node: n1)).thenRefused("notAllowed")
    Given.placed.when(DeclareNodeLost(node: ID(99), silentSeconds: 80), by: .wharfd).thenNothing()
  }

  @Test func `a node that is lost again and again takes nothing new for longer and longer`() {
    let n1 = Given.placed.world.n1
    var given = Given.placed
    var pauses: [Double] = []
    for _ in 0..<4 {
      given = given.passed(seconds: 60)
        .and(
          DeclareNodeLost(node: n1, silentSeconds: 80), DeclareNodeReturned(node: n1), by: .wharfd)
      pauses.append(
        given.world.state.nodes[n1]?.opensAt?.seconds(since: given.world.now) ?? 0)
    }
    #expect(pauses == [0, 60, 120, 240])
    let later = given.passed(seconds: 3_600)
      .and(DeclareNodeLost(node: n1, silentSeconds: 80), DeclareNodeReturned(node: n1), by: .wharfd)
    #expect(later.world.state.nodes[n1]?.opensAt == nil)
  }

  @Test func `a node in use is removed only on the word that it is off`() {
    for advice in ["wharf node cordon n1", "wharf replica restart", "--powered-off"] {
      Given.placed.when(RemoveNode(node: "n1", poweredOff: false))
        .thenRefused("nodeInUse", saying: advice)
    }
    // What is told to end already is not to be ended again.
    let ending = Given.placed.and(
      RestartReplica(deployment: "grok", number: 1), RestartReplica(deployment: "grok", number: 2))
    ending.when(RemoveNode(node: "n1", poweredOff: false))
      .thenRefused("nodeInUse", saying: "wait until what stops there has ended")
    let removed = Given.placed.when(RemoveNode(node: "n1", poweredOff: true))
      .then(NodeRemoved(poweredOff: true))
    let state = removed.world.state
    #expect(state.attempts.isEmpty)
    #expect(state.nodes.count == 0)
    #expect(state.deployments[removed.world.grok]?.unplaced.count == 2)
    #expect(state.deployments[removed.world.grok]?.replicas[1]?.failures == 0)
    removed.when(RemoveNode(node: "n1", poweredOff: true)).thenRefused("unknownNode")
    Given.deployed.when(RemoveNode(node: "n1", poweredOff: false)).then(
      NodeRemoved(poweredOff: false))
  }

  @Test func `removing a lost node ends a deployment that was deleted`() {
    let n1 = Given.placed.world.n1
    let gone = Given.placed.and(DeleteDeployment(deployment: "grok"))
      .and(DeclareNodeLost(node: n1, silentSeconds: 80), by: .wharfd)
      .and(RemoveNode(node: "n1", poweredOff: true))
    #expect(gone.world.state.deployments.count == 0)
    #expect(gone.world.state.lostNodes.isEmpty)
    #expect(gone.world.state.deploymentsIn.isEmpty)
  }
}

@Suite struct NodeReportTests {
  private let agent = Principal.agent(Given.placed.world.n1)

  private func report(
    _ given: Given, boot: String = "boot-1", incarnation: String = "agent-1",
    generation: Position? = nil, facts: NodeFacts = .devices(4), _ attempts: [ObservedAttempt] = []
  ) -> ReportNode {
    ReportNode(
      bootID: boot, incarnation: incarnation,
      generation: generation ?? given.world.state.nodes[given.world.n1]?.generation ?? 0,
      facts: facts, attempts: attempts)
  }

  private func seen(_ given: Given, _ phase: AttemptPhase, only: Int? = nil) -> [ObservedAttempt] {
    [1, 2].compactMap { number in
      given.world.attempt(number).map {
        ObservedAttempt($0, number == only ?? number ? phase : $0.phase)
      }
    }
  }

  private func reported(
    _ attempts: [AttemptChange], boot: String = "boot-1", incarnation: String = "agent-1",
    facts: NodeFacts? = nil
  ) -> NodeReported {
    NodeReported(bootID: boot, incarnation: incarnation, facts: facts, attempts: attempts)
  }

  @Test func `what is known is no event, what changed is one`() {
    let same = report(.placed, seen(.placed, .placed))
    Given.placed.when(same, by: agent).thenNothing()
    let ready = seen(.placed, .ready)
    let after = Given.placed.when(report(.placed, ready), by: agent)
      .then(reported(ready.map(AttemptChange.init)))
    after.when(report(after, ready), by: agent).thenNothing()
    #expect(after.world.attempt(1)?.readyAt == World.start)
  }

  @Test func `new facts and a new session are told`() {
    let seen = seen(.placed, .placed)
    Given.placed.when(report(.placed, facts: .devices(3), seen), by: agent)
      .then(reported([], facts: .devices(3)))
    Given.placed.when(report(.placed, incarnation: "agent-2", seen), by: agent)
      .then(reported([], incarnation: "agent-2"))
  }

  @Test func `what was ready on a node that is lost does not count as ready until it returns`()
    throws
  {
    let n1 = Given.placed.world.n1
    let ready = Given.placed.and(report(.placed, seen(.placed, .ready)), by: agent)
    func count(_ given: Given) throws -> Int {
      let state = given.world.state
      return try #require(state.deployments[given.world.grok]).ready
    }
    #expect(try count(ready) == 2)
    let lost = ready.and(DeclareNodeLost(node: n1, silentSeconds: 80), by: .wharfd)
    #expect(try count(lost) == 0)
    #expect(try count(lost.and(DeclareNodeReturned(node: n1), by: .wharfd)) == 2)
  }

  @Test func `a device that vanishes under what runs on it closes its node, once`() throws {
    let ready = seen(.placed, .ready)
    let running = Given.placed.and(report(.placed, ready), by: agent)
    let vanished = running.when(report(running, facts: .devices(3), ready), by: agent)
      .then(reported([], facts: .devices(3)), NodeCordoned())
    let node = try #require(vanished.world.state.nodes.named("n1"))
    #expect(node.missing == ["d3"])
    #expect(node.charges["d3"] != nil, "its engine is not known to have ended")
    let shortfalls = vanished.world.state.fit(
      .devices(1), on: node, beside: Tentative(), now: vanished.world.now)
    #expect(throws: UnfitNode.self) { try shortfalls.get() }
    vanished.when(report(vanished, facts: .devices(3), ready), by: agent).thenNothing()
    // A person knows better, from here on.
    let opened = vanished.when(UncordonNode(node: "n1")).then(NodeUncordoned())
    #expect(opened.world.state.nodes.named("n1")?.missing == [])
    opened.when(report(opened, facts: .devices(3), ready), by: agent).thenNothing()
    // Back again it is not missed; who opens the node is a person's affair.
    let back = vanished.when(report(vanished, facts: .devices(4), ready), by: agent)
      .then(reported([], facts: .devices(4)))
    #expect(back.world.state.nodes.named("n1")?.missing == [])
    #expect(back.world.state.nodes.named("n1")?.cordoned == true)
  }

  @Test func `a device that vanishes with nothing running on it closes no node`() {
    // Never begun; stopping; stopped by order, as by down and up with fewer devices.
    let placed = seen(.placed, .placed)
    Given.placed.when(report(.placed, facts: .devices(3), placed), by: agent)
      .then(reported([], facts: .devices(3)))
    let ready = seen(.placed, .ready)
    let running = Given.placed.and(report(.placed, ready), by: agent)
    let leaving = running.and(DeleteDeployment(deployment: "grok"))
    let stopping = leaving.and(
      DismissAttempts(
        deployment: leaving.world.grok, attempts: leaving.world.state.leaving.sorted(),
        enforced: nil), by: .wharfd)
    stopping.when(report(stopping, facts: .devices(3), ready), by: agent)
      .then(reported([], facts: .devices(3)))
    var ended = seen(running, .ended)
    for index in ended.indices { ended[index].ordered = .nodeStopped }
    running.when(report(running, facts: .devices(3), ended), by: agent)
      .then(reported(ended.map(AttemptChange.init), facts: .devices(3)))
    // Ended by itself: it may have been the device.
    for index in ended.indices { ended[index].ordered = nil }
    running.when(report(running, facts: .devices(3), ended), by: agent)
      .then(reported(ended.map(AttemptChange.init), facts: .devices(3)), NodeCordoned())
    let cordoned = running.and(CordonNode(node: "n1"))
    cordoned.when(report(cordoned, facts: .devices(3), ready), by: agent)
      .then(reported([], facts: .devices(3)))
  }

  @Test func `an attempt that ended frees its devices, and its replica counts a failure`() {
    let n1 = Given.placed.world.n1
    let ended = seen(.placed, .ended, only: 1)
    let after = Given.placed.when(report(.placed, ended), by: agent)
      .then(reported([AttemptChange(ended[0])]))
    #expect(after.world.state.nodes[n1]?.charges.keys.sorted() == ["d2", "d3"])
    let replica = after.world.state.deployments[after.world.grok]?.replicas[1]
    #expect(replica?.failures == 1)
    #expect(replica?.lastFailedOn == n1)
    // The same report, come twice.
    after.when(report(after, ended), by: agent).thenNothing()
  }

  @Test(arguments: StopOrder.allCases)
  func `an end that was ordered frees the devices, and is no failure`(order: StopOrder) {
    let finalized = Given.placed
    var ended = seen(finalized, .ended, only: 1)
    ended[0].exitCode = 0
    ended[0].ordered = order
    let after = finalized.when(report(finalized, ended), by: agent)
      .then(reported([AttemptChange(ended[0])]))
    #expect(after.world.state.nodes[after.world.n1]?.charges.keys.sorted() == ["d2", "d3"])
    let replica = after.world.state.deployments[after.world.grok]?.replicas[1]
    #expect(replica?.waiting == .new)
    #expect(replica?.failures == 0)
    #expect(replica?.retryAt == nil)
    #expect(replica?.lastFailedOn == nil)
  }

  @Test func `by whose order is stored in one form, and not where an older wharfd may read it`()
    throws
  {
    var ended = seen(.placed, .ended, only: 1)
    ended[0].ordered = .nodeStopped
    let finalized = Given.placed
    // As if it had never been raised.
    let older = finalized.happened(FormatLevelRaised(level: FormatLevel.first), on: .log)
    let events = try finalized.when(report(finalized, ended), by: agent).result.get()
    let stored = String(decoding: events[0].body.jsonBytes, as: UTF8.self)
    let form = #"[{"id":"\#(ended[0].id)","phase":"ended","ordered":"nodeStopped"}]"#
    let expected = #"{"bootID":"boot-1","incarnation":"agent-1","attempts":\#(form)}"#
    #expect(stored == expected)
    #expect(
      NodeReported(canonicalDocument: Array(expected.utf8))?.jsonBytes == Array(expected.utf8))
    ended[0].ordered = nil
    let plain = reported([AttemptChange(ended[0])])
    ended[0].ordered = .nodeStopped
    older.when(report(older, ended), by: agent).then(plain)
  }

  @Test func `an attempt that the agent does not list ended, if the agent acted on it`() {
    let generation = Given.placed.world.state.nodes[Given.placed.world.n1]?.generation ?? 0
    let before = Position(generation.value - 1)
    Given.placed.when(report(.placed, generation: before), by: agent).thenNothing()
    let ids = [1, 2].compactMap { Given.placed.world.attempt($0)?.id }
    Given.placed.when(report(.placed), by: agent)
      .then(
        reported(
          ids.map {
            AttemptChange(ObservedAttempt(id: $0, phase: .ended, cause: .unknownToAgent))
          })
      )
  }

  @Test func `nothing has ended of which a process still runs, listed or not`() throws {
    let ids = [1, 2].compactMap { Given.placed.world.attempt($0)?.id }
    let ended = seen(.placed, .ended, only: 1)
    func report(_ attempts: [ObservedAttempt], _ strangers: [AttemptID], _ unknown: Int = 0)
      -> ReportNode
    {
      ReportNode(
        bootID: "boot-1", incarnation: "agent-1",
        generation: Given.placed.world.state.nodes[Given.placed.world.n1]?.generation ?? 0,
        facts: .devices(4), attempts: attempts, strangers: strangers, unknownProcesses: unknown)
    }
    // Listed as ended, and not listed at all.
    Given.placed.when(report(ended, [ids[0]]), by: agent).thenNothing()
    Given.placed.when(report([], ids), by: agent).thenNothing()
    Given.placed.when(report([], [ids[0]]), by: agent)
      .then(
        reported([AttemptChange(ObservedAttempt(id: ids[1], phase: .ended, cause: .unknownToAgent))]
        ))
    // It may be of any of them.
    Given.placed.when(report([], [], 1), by: agent).thenNothing()
    Given.placed.when(report(ended, []), by: agent).then(reported([AttemptChange(ended[0])]))
  }

  @Test func `what a machine says is bounded, and printable`() {
    func refused(_ report: ReportNode) {
      Given.placed.when(report, by: agent).thenRefused("factsOutOfRange")
    }
    var facts = NodeFacts.devices(4)
    facts.devices[0].model = "H100\u{202E}"
    refused(report(.placed, facts: facts))
    facts = .devices(4)
    facts.address = String(repeating: "a", count: NodeFacts.longestWord + 1)
    refused(report(.placed, facts: facts))
    refused(report(.placed, boot: "boot\n"))
    refused(report(.placed, incarnation: "agent\u{7F}"))
    var seen = seen(.placed, .ready)
    seen[0].endpoint = "http://é"
    refused(report(.placed, seen))
  }

  @Test func `words of an engine reach no event, whatever the log may hold`() throws {
    var ended = seen(.placed, .ended, only: 1)
    ended[0].exitCode = 1
    ended[0].reason = "it ended by itself; its log ends: my secret prompt"
    ended[0].cause = .outOfDeviceMemory
    ended[0].device = "none of its own"
    for level in [FormatLevel.first, FormatLevel.current] {
      let given = Given.placed.happened(FormatLevelRaised(level: level), on: .log)
      let events = try given.when(report(given, ended), by: agent).result.get()
      let stored = String(decoding: events[0].body.jsonBytes, as: UTF8.self)
      #expect(!stored.contains("prompt") && !stored.contains("none of its own"), "\(stored)")
      #expect(
        stored.contains(
          level == FormatLevel.first
            ? #""reason":"out of device memory""# : #""cause":"outOfDeviceMemory""#), "\(stored)")
      let after = given.and(report(given, ended), by: agent)
      let replica = after.world.state.deployments[after.world.grok]?.replicas[1]
      #expect(replica?.lastFailure == "exit code 1: out of device memory")
      #expect(replica?.lastFailed == ended[0].id)
    }
  }

  @Test func `of weights that are others both digests are told`() {
    var ended = seen(.placed, .ended, only: 1)
    let (wanted, found) = (Digest.numbered(9), Digest.numbered(10))
    ended[0].cause = .weightsDiffer
    ended[0].weights = WeightsFound(wanted: wanted, found: found)
    let after = Given.placed.when(report(.placed, ended), by: agent)
      .then(reported([AttemptChange(ended[0])]))
    let replica = after.world.state.deployments[after.world.grok]?.replicas[1]
    #expect(
      replica?.lastFailure
        == "not started: its weights have the digest \(found), and \(wanted) was pinned")
  }

  @Test func `what ails a node is told when it changes, and closes it while it must`() {
    func troubled(_ given: Given, _ troubles: [NodeTrouble]) -> ReportNode {
      ReportNode(
        bootID: "boot-1", incarnation: "agent-1",
        generation: given.world.state.nodes[given.world.n1]?.generation ?? 0, facts: .devices(4),
        attempts: seen(.placed, .placed), troubles: troubles)
    }
    func isOpen(_ given: Given) -> Bool {
      given.world.state.nodes[given.world.n1]?.isOpen(now: given.world.now) ?? false
    }
    let readable = Given.placed.when(troubled(.placed, [.secretsReadable]), by: agent)
      .then(NodeTroubled(troubles: [.secretsReadable]))
    #expect(isOpen(readable), "that others can read its secrets keeps no engine from starting")
    let failing = readable.when(
      troubled(readable, [.secretsReadable, .deviceToolFailed]), by: agent
    ).then(NodeTroubled(troubles: [.deviceToolFailed, .secretsReadable]))
    #expect(!isOpen(failing))
    failing.when(troubled(failing, [.deviceToolFailed, .secretsReadable]), by: agent).thenNothing()
    #expect(isOpen(failing.and(troubled(failing, []), by: agent)))
    // An agent of before says nothing of it, and takes nothing back.
    failing.when(report(failing, seen(failing, .placed)), by: agent).thenNothing()
  }

  @Test func `a node that was removed is remembered by its credential, and good for nothing`()
    throws
  {
    let secret = try #require(Given.placed.world.state.nodes[Given.placed.world.n1]?.credential)
    #expect(Given.placed.world.state.removal(of: secret) == nil)
    let removed = Given.placed.and(RemoveNode(node: "n1", poweredOff: true))
    let removal = try #require(removed.world.state.removal(of: secret))
    #expect(removal.node == Given.placed.world.n1.stream)
    #expect(removal.position == removed.world.state.position)
    #expect(removed.world.state.principal(presenting: secret, now: removed.world.now) == nil)
  }

  @Test func `a new boot proves that what ran before has ended`() {
    let running = Given.placed.and(report(.placed, seen(.placed, .ready, only: 1)), by: agent)
    let first =
      running.world.attempt(1)?.id
      ?? AttemptID(replica: ReplicaID(deployment: 0, number: 0), placedAt: 0)
    // Only the one that ran; the other may be about to start.
    running.when(report(running, boot: "boot-2", generation: 0), by: agent)
      .then(
        reported(
          [AttemptChange(ObservedAttempt(id: first, phase: .ended, cause: .nodeRestarted))],
          boot: "boot-2"))
  }

  @Test func `attempts that are unknown, released or another node's change nothing`() throws {
    let stranger = ObservedAttempt(
      id: AttemptID(replica: ReplicaID(deployment: 99, number: 1), placedAt: 99), phase: .ready)
    Given.placed.when(report(.placed, seen(.placed, .placed) + [stranger]), by: agent).thenNothing()
    let other = Given.placed.with { try $0.addNode("n2") }
    let n2 = try #require(other.world.state.nodes.named("n2"))
    other.when(
      ReportNode(
        bootID: "boot-1", incarnation: "agent-1", generation: n2.generation, facts: n2.facts,
        attempts: seen(.placed, .ended)), by: .agent(n2.id)
    ).thenNothing()
  }

  @Test func `reports go on while the deployment is deleted, and end it`() {
    let deleted = Given.placed.and(DeleteDeployment(deployment: "grok"))
    let ended = [1, 2].compactMap { Given.placed.world.attempt($0) }
      .map { ObservedAttempt($0, .ended, exitCode: 0) }
    let half = deleted.and(
      report(deleted, [ended[0], ObservedAttempt(asKnown: Given.placed.world.attempt(2)!)]),
      by: agent)
    #expect(half.world.state.deployments.count == 1)
    let gone = half.and(report(half, [ended[1]]), by: agent)
    #expect(gone.world.state.deployments.count == 0)
    #expect(gone.world.state.attempts.isEmpty)
    gone.when(report(gone, ended), by: agent).thenNothing()
  }

  @Test func `a report of a node that is gone changes nothing, and one from ahead is refused`() {
    Given.placed.and(RemoveNode(node: "n1", poweredOff: true))
      .when(report(.placed), by: agent).thenNothing()
    Given.placed.when(report(.placed, generation: 999), by: agent).thenRefused("generationAhead")
    Given.placed.when(report(.placed)).thenRefused("notAllowed")
    Given.placed.when(report(.placed, facts: .devices(1, cpuMillis: -5)), by: agent)
      .thenRefused("factsOutOfRange")
  }
}
