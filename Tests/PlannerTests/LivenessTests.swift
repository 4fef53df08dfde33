// When a node is lost, and when it is not.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct LivenessTests {
  private func world(nodes: Int) throws -> World {
    var world = World()
    for index in 0..<nodes { try world.addNode(Name("n\(100 + index)"), .devices(1)) }
    world.pass(seconds: 3_600)
    return world
  }

  private func lost(_ plan: Plan) -> Int { plan.decisions.count { $0 is DeclareNodeLost } }

  @Test func `a node is lost when silent for 75 s, and not a moment before`() throws {
    let world = try world(nodes: 4)
    let node = world.state.nodes.sorted[0].id
    let before = plan(world.state, world.signals(silent: [node: 74.5]), now: world.now)
    #expect(before.decisions.isEmpty)
    #expect(before.wakeAt == world.now.adding(seconds: 1))
    let after = plan(world.state, world.signals(silent: [node: 75]), now: world.now)
    #expect(
      after.text(of: world.state, now: world.now).hasPrefix("lost     n100, silent for 75 s\n"))
  }

  @Test func `every limit of silence follows from the one that is chosen`() throws {
    let usual = SilenceLimits.usual
    #expect(usual.nodeLostSeconds == 75 && usual.suspectSeconds == 30)
    #expect(usual.agentLeaseSeconds == 30 && usual.heartbeatSeconds == 5)
    for seconds in SilenceLimits.nodeLostSecondsRange {
      let limits = SilenceLimits(nodeLostSeconds: seconds)
      #expect(limits.heartbeatSeconds >= 1)
      #expect(limits.agentLeaseSeconds >= 2 * limits.heartbeatSeconds)
      #expect(limits.touchSeconds >= 3, "a beat of two seconds, and its way")
      #expect(limits.exclusiveStopSeconds >= 2, "with all that a deposed leader may have given")
      // Given at the last moment by a leader that was deposed, counted by the slowest clock.
      let leases =
        (limits.touchSeconds + Double(limits.agentLeaseSeconds))
        * (1 + Double(Leases.driftPerMille) / 1_000)
      try #require(
        leases + limits.exclusiveStopSeconds <= limits.nodeLostSeconds + 0.001,
        "an exclusive engine has ended before its node is lost after \(seconds) s")
    }
    let world = try world(nodes: 4)
    let node = world.state.nodes.sorted[0].id
    var signals = world.signals(silent: [node: 10])
    #expect(lost(plan(world.state, signals, now: world.now)) == 0)
    signals.limits = SilenceLimits(nodeLostSeconds: 10)
    #expect(lost(plan(world.state, signals, now: world.now)) == 1)
  }

  @Test func `silence is counted only while the leader could hear`() throws {
    let world = try world(nodes: 1)
    let deaf = plan(world.state, Signals(hearingSeconds: 20), now: world.now)
    #expect(deaf.decisions.isEmpty)
    #expect(deaf.wakeAt == world.now.adding(seconds: 55))
    #expect(lost(plan(world.state, Signals(hearingSeconds: 75), now: world.now)) == 1)
  }

  @Test func `a leader that just took over loses none of a thousand nodes`() throws {
    let world = try world(nodes: 1_000)
    for hearing in [0.0, 1, 40, 74.9] {
      #expect(plan(world.state, Signals(hearingSeconds: hearing), now: world.now).decisions.isEmpty)
    }
  }

  @Test func `a node that joined a moment ago was not silent before`() throws {
    var world = try world(nodes: 1)
    try world.addNode("new")
    var signals = world.signals()
    signals.heard = signals.heard.filter { world.state.nodes[$0.key]?.name != "new" }
    #expect(plan(world.state, signals, now: world.now).decisions.isEmpty)
    #expect(lost(plan(world.state, signals, now: world.now.adding(seconds: 76))) == 1)
  }

  @Test func `a lost node that is heard again returns, and one only forgotten does not`() throws {
    var world = try world(nodes: 4)
    let node = world.state.nodes.sorted[0].id
    try world.settle(silent: [node: 80])
    #expect(world.state.nodes[node]?.status == .lost)
    // The leader changed: nobody was heard yet.
    #expect(plan(world.state, Signals(hearingSeconds: 0), now: world.now).decisions.isEmpty)
    try world.settle()
    #expect(world.state.nodes[node]?.status == .active)
  }

  @Test func `of a third of the nodes, silent together, few are lost a minute, with an alarm`()
    throws
  {
    var world = try world(nodes: 100)
    var silent: [ID<Node>: Double] = [:]
    for node in world.state.nodes.sorted.prefix(40) { silent[node.id] = 80 }
    let found = try world.settle(silent: silent)
    #expect(lost(found) == Liveness.stormLossesPerWindow)
    #expect(found.alarms.count == 1)
    let again = plan(world.state, world.signals(silent: silent), now: world.now)
    #expect(again.wakeAt == world.now.adding(seconds: 60))
    world.pass(seconds: 60)
    #expect(lost(try world.settle(silent: silent)) == Liveness.stormLossesPerWindow)
  }

  @Test func `of two thirds, silent together, none is lost`() throws {
    let world = try world(nodes: 100)
    var silent: [ID<Node>: Double] = [:]
    for node in world.state.nodes.sorted.prefix(61) { silent[node.id] = 80 }
    let found = plan(world.state, world.signals(silent: silent), now: world.now)
    #expect(found.decisions.isEmpty)
    #expect(found.alarms.count == 1)
  }

  @Test func `the first of many to go silent does not slip past the brake`() throws {
    let world = try world(nodes: 10)
    var silent: [ID<Node>: Double] = [:]
    for (index, node) in world.state.nodes.sorted.prefix(8).enumerated() {
      silent[node.id] = index == 0 ? 75 : 50
    }
    #expect(plan(world.state, world.signals(silent: silent), now: world.now).decisions.isEmpty)
  }

  @Test func `two nodes are never a storm`() throws {
    let world = try world(nodes: 2)
    let silent = Dictionary(uniqueKeysWithValues: world.state.nodes.sorted.map { ($0.id, 80.0) })
    #expect(lost(plan(world.state, world.signals(silent: silent), now: world.now)) == 2)
  }

  @Test func `a node that flaps for an hour causes few moves`() throws {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    let flapping = try world.addNode("a", .devices(1))
    try world.addNode("b", .devices(1))
    try world.addNode("c", .devices(1))
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 2)
    try world.settle()
    #expect(world.places(of: grok)[1] == "a")
    for _ in 0..<24 {
      world.pass(seconds: 75)
      try world.settle(silent: [flapping: 75])
      world.pass(seconds: 75)
      try world.settle()
      try world.report(flapping) { $0.stopping ? nil : ObservedAttempt(asKnown: $0) }
      // Something else there keeps asking for places.
      try world.perform(ScaleDeployment(deployment: "grok", replicas: 3))
      try world.settle()
      try world.perform(ScaleDeployment(deployment: "grok", replicas: 2))
      try world.settle()
      try world.report(flapping) { $0.stopping ? nil : ObservedAttempt(asKnown: $0) }
    }
    let placed = world.log.reduce(0) { sum, recorded in
      sum + ((recorded.event as? ReplicasPlaced)?.placements.count { $0.node == flapping } ?? 0)
    }
    #expect(placed <= 6)
  }
}
