// Plans, word for word, for the situations that operators meet.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct GoldenPlanTests {
  private func world(_ needs: Needs = .devices(2), nodes: Int = 2, replicas: Int = 2) throws
    -> World
  {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: needs)
    for index in 0..<nodes { try world.addNode(Name("n\(index + 1)")) }
    try world.addDeployment("grok", of: "xai/m:1", replicas: replicas)
    return world
  }

  private func text(_ world: World, silent: [ID<Node>: Double] = [:]) -> String {
    plan(world.state, world.signals(silent: silent), now: world.now)
      .text(of: world.state, now: world.now)
  }

  @Test func `nothing at all`() {
    #expect(text(World()) == "nothing to do\n")
  }

  @Test func `two replicas, two nodes`() throws {
    #expect(
      text(try world()) == """
        place    grok-1 on n1 [d0 d1]: none of its deployment there, leaves 2 devices free
        place    grok-2 on n2 [d0 d1]: none of its deployment there, leaves 2 devices free
        wake     in 74 s

        """)
  }

  @Test func `nothing left to do, and when to look again`() throws {
    var world = try world()
    try world.settle()
    #expect(text(world) == "wake     in 74 s\n")
  }

  @Test func `no node`() throws {
    #expect(
      text(try world(nodes: 0, replicas: 5)) == """
        wait     grok-1…5: noNodes
        wake     in 63072000 s

        """)
  }

  @Test func `more replicas than devices`() throws {
    #expect(
      text(try world(.devices(4), replicas: 4)) == """
        place    grok-1 on n1 [d0 d1 d2 d3]: none of its deployment there, leaves 0 devices free
        place    grok-2 on n2 [d0 d1 d2 d3]: none of its deployment there, leaves 0 devices free
        wait     grok-3,4: notEnoughDevices
        wake     in 74 s

        """)
  }

  @Test func `devices too small`() throws {
    #expect(
      text(try world(.devices(1, of: .gib(96)))) == """
        wait     grok-1,2: deviceMemoryTooSmall
        wake     in 74 s

        """)
  }

  @Test func `every node cordoned`() throws {
    var world = try world()
    for name in ["n1", "n2"] as [Name] { try world.perform(CordonNode(node: name)) }
    #expect(
      text(world) == """
        wait     grok-1,2: noOpenNode
        wake     in 74 s

        """)
  }

  @Test func `scaled down: the newest of the ready ones goes`() throws {
    var world = try world(replicas: 3)
    try world.settle()
    try world.becomeReady()
    try world.perform(ScaleDeployment(deployment: "grok", replicas: 2))
    #expect(
      text(world) == """
        remove   grok-3
        wake     in 74 s

        """)
  }

  @Test func `scaled down: who waits or is not ready goes first`() throws {
    var world = try world(.devices(4), replicas: 3)
    try world.settle()
    try world.becomeReady()
    let n1 = try #require(world.state.nodes.named("n1"))
    try world.report(n1.id) { ObservedAttempt($0, .unhealthy) }
    try world.perform(ScaleDeployment(deployment: "grok", replicas: 1))
    #expect(
      text(world) == """
        remove   grok-1,3
        wake     in 74 s

        """)
  }

  @Test func `a node is lost, and its replica moves`() throws {
    var world = try world()
    try world.settle()
    try world.becomeReady()
    world.pass(seconds: 100)
    let n1 = try #require(world.state.nodes.named("n1")).id
    #expect(
      text(world, silent: [n1: 80]) == """
        lost     n1, silent for 80 s
        place    grok-1 on n2 [d2 d3]: node lost; 1 of its deployment there, leaves 0 devices free
        wake     in 74 s

        """)
  }

  @Test func `a provider is suspended, and reinstated`() throws {
    var world = try world()
    try world.settle()
    try world.perform(SuspendProvider(provider: "xai"))
    #expect(text(world) == "stop     all of grok\nwake     in 74 s\n")
    try world.settle()
    try world.perform(ReinstateProvider(provider: "xai"))
    // The devices are still charged to attempts whose end is not proved; the other two are free.
    #expect(
      text(world) == """
        place    grok-1 on n1 [d2 d3]: none of its deployment there, leaves 0 devices free
        place    grok-2 on n2 [d2 d3]: none of its deployment there, leaves 0 devices free
        wake     in 74 s

        """)
  }

  @Test func `dates that came`() throws {
    var world = try world(replicas: 1)
    try world.settle()
    try world.perform(PublishModel(model: "xai/m", audience: .internal, stage: .general))
    try world.perform(RegisterTeam(name: "copilot", audience: .internal))
    try world.perform(
      GrantAccess(team: "copilot", model: "xai/m", until: world.now.adding(seconds: 10)))
    #expect(text(world) == "wake     in 10 s\n")
    try world.perform(TerminateAgreement(provider: "xai", end: world.now.adding(seconds: 5)))
    #expect(text(world) == "wake     in 5 s\n")
    world.pass(seconds: 10)
    #expect(
      text(world) == """
        end      agreement with xai
        expire   grant of xai/m to copilot
        stop     all of grok
        wake     in 74 s

        """)
  }

  @Test func `half the nodes silent`() throws {
    var world = try world(nodes: 10, replicas: 0)
    world.pass(seconds: 100)
    var silent: [ID<Node>: Double] = [:]
    for node in world.state.nodes.sorted.prefix(6) { silent[node.id] = 80 }
    #expect(
      text(world, silent: silent) == """
        lost     n1, silent for 80 s
        lost     n2, silent for 80 s
        lost     n3, silent for 80 s
        lost     n4, silent for 80 s
        lost     n5, silent for 80 s
        alarm    6 of 10 nodes went silent together: at most 5 are declared lost in 60 s
        wake     in 60 s

        """)
  }
}
