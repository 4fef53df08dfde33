// What status, lists and shows say of what is on its way, silent, or about to stop: never nothing.

import ArgumentParser
import HashTreeCollections
import Hosting
import TestKit
import Testing
import Wire

@testable import CLI

struct StatusTextTests {
  private static let terminal = Terminal(width: nil, hasColour: false)

  /// Two ready replicas on n1, of which one is to go, and a gateway that has not left it.
  private func world() throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 3)
    let n1 = try world.addNode("n1")
    try world.perform(RegisterGateway(name: "edge", credential: .numbered(77)))
    let gateway = Principal(actor: .of(Stream(.gateway, world.state.position)), role: .gateway)
    try world.perform(
      StartGatewayProcess(incarnation: "a1b2", address: "10.0.0.7:7480"), by: gateway)
    try world.perform(
      PlaceReplicas(
        deployment: grok,
        placements: (1...3).map {
          Placement(replica: $0, node: n1, devices: ["d\($0)"], reason: "a test")
        }), by: .wharfd)
    return world
  }

  private func view(_ world: World, heard: Double? = 1, silent: Int? = nil) -> Viewpoint {
    let process = world.state.gatewayProcesses.values.first
    let standing = GatewayStanding(
      process: process?.id, called: "edge (10.0.0.7:7480)", enforced: process?.id,
      heardSeconds: heard, leaseSeconds: 40)
    return Viewpoint(
      state: world.state, moment: world.now,
      heard: Viewpoint.Heard(gateways: [standing]) { _ in silent })
  }

  private func status(_ view: Viewpoint) throws -> String {
    let item = StatusItem(
      view, hash: nil, behind: nil, standing: "leading", you: "ann", role: .admin)
    return StatusText.render(item, at: 1, try OutputOptions.parse([]), Self.terminal)
  }

  private func report(_ world: inout World, _ phases: [Int: AttemptPhase]) throws {
    try world.report(world.state.nodes.sorted[0].id) { attempt in
      var seen = ObservedAttempt(asKnown: attempt)
      seen.phase = phases[attempt.id.replica.number] ?? seen.phase
      return seen
    }
  }

  @Test func `A replica with an attempt that is not ready has a word, since when and where`() throws
  {
    var world = try world()
    world.pass(seconds: 5)
    try report(&world, [1: .ready, 2: .loading])
    world.pass(seconds: 60)
    let text = try status(view(world))
    #expect(
      text.contains(
        "1 loading since 2025-06-01 00:00:05 (grok-2 on n1): given up if not ready within 60 s of its "
          + "start; 1 placed since 2025-06-01 (grok-3 on n1): its agent has not begun yet"),
      "\(text)")
    #expect(
      text.contains("\nhelp: what keeps grok, and what would help: wharf why deployment grok"),
      "\(text)")
    try report(&world, [2: .unhealthy])
    let silent = try status(view(world, silent: 41))
    #expect(
      silent.contains(
        "1 unhealthy since 2025-06-01 00:01:05 (grok-2 on n1): its node is silent since "
          + "2025-06-01 00:00:24; no longer answers its probe"), "\(silent)")
    // Each phase that is not ready: nothing is left blank, whatever will be added.
    for phase in AttemptPhase.allCases where phase != .ready && phase != .ended {
      try report(&world, [1: phase, 2: phase, 3: phase])
      #expect(
        try status(view(world)).contains(
          " \(phase.rawValue), the longest since 2025-06-01 00:01:05 (grok-1 on n1)")
          || phase == .unhealthy || phase == .placed, "\(phase)")
    }
  }

  @Test func `What was ready on a node that is lost waits for its node, and is not ready`() throws {
    var world = try world()
    try report(&world, [1: .ready, 2: .ready, 3: .ready])
    #expect(try status(view(world)).contains("\ngrok  xai/m:1  3/3"))
    world.pass(seconds: 80)
    try world.perform(
      DeclareNodeLost(node: world.state.nodes.sorted[0].id, silentSeconds: 80), by: .wharfd)
    let grok = try #require(world.state.deployments.named("grok"))
    for replica in grok.replicas.values {
      let item = ReplicaItem(replica, of: grok, view(world))
      #expect(item.phase == "unknown" && item.waiting == .nodeLost, "\(item)")
      #expect(item.waitingSince == world.now && item.node == "n1")
    }
    let text = try status(view(world))
    #expect(text.contains("\ngrok  xai/m:1  0/3    3 its node is lost"), "\(text)")
  }

  @Test(arguments: NodeTrouble.allCases)
  func `A node that is in trouble says in its line what ails it`(trouble: NodeTrouble) throws {
    var world = try world()
    let node = world.state.nodes.sorted[0]
    #expect(try status(view(world)).contains("n1    active  "))
    try world.perform(
      ReportNode(
        bootID: node.bootID, incarnation: "agent-1", generation: node.generation, facts: node.facts,
        attempts: node.attempts.sorted().compactMap { world.state.attempts[$0] }
          .map { ObservedAttempt(asKnown: $0) }, troubles: [trouble]), by: .agent(node.id))
    let text = try status(view(world))
    #expect(text.contains("\nn1    trouble: \(trouble.words)  "), "\(text)")
  }

  @Test func `A gateway that is silent says since when, until when it may serve, and what helps`()
    throws
  {
    let world = try world()
    #expect(try status(view(world)).contains("edge  10.0.0.7:7480  serves, enforces position "))
    let silent = try status(view(world, heard: 43))
    #expect(
      silent.contains(
        "edge  10.0.0.7:7480  silent since 2025-05-31 23:59:17: may serve by what it knew until "
          + "2025-06-01 00:00:40"), "\(silent)")
    #expect(
      silent.contains(
        "help: gateway edge: see to it and its network; if it is off for certain: "
          + "wharf gateway powered-off edge --process a1b2"), "\(silent)")
    let follower = Viewpoint(
      state: world.state, moment: world.now, heard: .init(gateways: nil) { _ in nil })
    #expect(
      try status(follower).contains("edge  10.0.0.7:7480  may serve, since 2025-06-01"))
    var bare = World()
    try bare.perform(RegisterGateway(name: "rim", credential: .numbered(78)))
    #expect(try status(view(bare)).contains("rim   -   no process of it may serve"))
    let item = GatewayItem(try #require(world.state.gateways.named("edge")), view(world, heard: 43))
    let list = GatewayNoun.list([item], try OutputOptions.parse([]), Self.terminal)
    #expect(list.contains("silent since 2025-05-31 23:59:17"), "\(list)")
    let show = GatewayNoun.show(item, try OutputOptions.parse([]), Self.terminal)
    #expect(show.hasSuffix("wharf gateway powered-off edge --process a1b2"), "\(show)")
  }

  @Test func `An engine whose key was made with a lost secret counts as ready nowhere`() throws {
    var world = try world()
    try world.happen(ClusterSecretRecorded(fingerprint: .numbered(1)))
    try world.becomeReady()
    #expect(try status(view(world)).contains("3/3"))
    try world.happen(ClusterSecretRecorded(fingerprint: .numbered(2)))
    let text = try status(view(world))
    #expect(text.contains("0/3") && !text.contains("3/3"), "\(text)")
    #expect(text.contains("its key was made with a secret that is lost"), "\(text)")
    let grok = try #require(world.state.deployments.named("grok"))
    let item = DeploymentItem(grok, stopping: [], view(world))
    #expect(item.ready == 0)
  }

  @Test func `What is to stop says what it waits for in every list that shows its devices`() throws
  {
    var world = try world()
    try world.becomeReady()
    try world.perform(ScaleDeployment(deployment: "grok", replicas: 2))
    let grok = try #require(world.state.deployments.named("grok"))
    try world.perform(
      RemoveReplicas(deployment: grok.id, replicas: [3], leaving: true), by: .wharfd)
    let wait =
      "waits for gateway edge (10.0.0.7:7480) to leave it, until 2025-06-01 00:00:30 at the latest"
    let view = view(world)
    let text = try status(view)
    #expect(
      text.contains("STOPPING\n") && text.contains("grok-3   n1    d3     \(wait)"), "\(text)")
    #expect(text.contains("1/4, 1 stopping"), "\(text)")
    let output = try OutputOptions.parse([])
    let node = NodeItem(world.state.nodes.sorted[0], view)
    #expect(NodeNoun.list([node], output, Self.terminal).contains("1/4, 1 stopping"))
    #expect(NodeNoun.show(node, output, Self.terminal).contains("grok-3, stopping: it \(wait)"))
    let left = try #require(world.state.departing.first.flatMap { world.state.attempts[$0] })
    let replica = ReplicaItem(removed: [left], of: grok, view)
    #expect(
      ReplicaNoun.list([replica], output, Self.terminal).contains(
        "grok-3  stopping  2025-06-01  n1    d3       0         \(wait)"))
    let deployment = DeploymentItem(
      try #require(world.state.deployments.named("grok")), stopping: [left], view)
    #expect(
      DeploymentNoun.list([deployment], output, Self.terminal).contains(
        "1 stopping: grok-3 \(wait)"))
    // Once it was told, it says that, and until when it lives.
    world.pass(seconds: 30)
    try world.perform(
      DismissAttempts(deployment: grok.id, attempts: [left.id], enforced: nil), by: .wharfd)
    let told = "was told to stop at 2025-06-01 00:00:30, killed 10 s later if it has not ended"
    #expect(try status(self.view(world)).contains(told))
    let shown = NodeNoun.show(
      NodeItem(world.state.nodes.sorted[0], self.view(world)), output, Self.terminal)
    #expect(shown.contains(told), "\(shown)")
  }

  @Test func `The attempt of before a restart stands with its replica until its end is proved`()
    throws
  {
    var world = try world()
    try world.becomeReady()
    try world.perform(RestartReplica(deployment: "grok", number: 1))
    let grok = try #require(world.state.deployments.named("grok"))
    let replica = try #require(grok.replicas[1])
    let left = try #require(world.state.departing.first.flatMap { world.state.attempts[$0] })
    let item = ReplicaItem(replica, of: grok, stopping: [left], view(world))
    #expect(item.phase == "waiting" && item.stopping?.map(\.devices) == [["d1"]])
    let shown = ReplicaNoun.show(item, try OutputOptions.parse([]), Self.terminal)
    #expect(shown.contains("STOPPING\n") && shown.contains("waits for gateway edge"), "\(shown)")
  }

  @Test func `A log that is ahead of the database's clock is told of, with what follows`() throws {
    func shown(_ ahead: Int?) throws -> String {
      let item = StatusItem(
        view(try world()), hash: nil, behind: nil, aheadSeconds: ahead, standing: "leading",
        you: "ann",
        role: .admin)
      return StatusText.render(item, at: 1, try OutputOptions.parse([]), Self.terminal)
    }
    #expect(try shown(7_190).contains("the log is 119m ahead of the database's clock"))
    #expect(try shown(12).contains("the log is 12s ahead"))
    #expect(try !shown(nil).contains("clock"))
  }

  @Test func `Whoever waits for a process is told how to vouch for just that one`() throws {
    let name: Name = "edge"
    let item = EnforcementItem(
      gateway: name, enforced: 3, leaseSeconds: 9, incarnation: "a1b2", address: "10.0.0.7:7480")
    #expect(Enforcement.off(item) == "wharf gateway powered-off edge --process a1b2")
    let words = Enforcement.off(item).split(separator: " ").dropFirst().map(String.init)
    let parsed = try Wharf.parseAsRoot(words)
    let verb = try #require(parsed as? GatewayPoweredOff)
    let command = try #require(verb.command() as? VouchGatewayOff)
    #expect(command.gateway == name && command.process?.value == "a1b2" && command.all == nil)
  }
}
