// Which node a replica gets, and why.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct PlacementTests {
  private func world(_ needs: Needs = .devices(2), providers: [Name] = ["xai"]) throws -> World {
    var world = World()
    for provider in providers {
      try world.addProvider(provider)
      try world.addModel(ModelReference(jsonText: "\(provider)/m"), needs: needs)
    }
    return world
  }

  @Test func `replicas are spread, each on the tightest node`() throws {
    var world = try world()
    try world.addNode("big", .devices(8))
    try world.addNode("small", .devices(2))
    try world.addNode("middle", .devices(4))
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 4)
    try world.settle()
    #expect(world.places(of: grok) == [1: "small", 2: "middle", 3: "big", 4: "middle"])
  }

  @Test func `the smallest devices that suffice are taken, on the node whose largest is smallest`()
    throws
  {
    var world = try world(.devices(1, of: .gib(30)))
    try world.addNode("a100", .devices(2, of: .gib(80)))
    try world.addNode("a40", .devices(2, of: .gib(40)))
    var mixed = NodeFacts.devices(2, of: .gib(80))
    mixed.devices[1].memory = .gib(32)
    try world.addNode("mixed", mixed)
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 3)
    try world.settle()
    #expect(world.places(of: grok) == [1: "a40", 2: "a100", 3: "mixed"])
    let last = world.state.attempts.values.first { $0.id.replica.number == 3 }
    #expect(last?.devices == ["d1"])
  }

  @Test func `a node that opens by the time alone is found by a pass that remembers`() throws {
    var world = try world()
    let node = try world.addNode("n1")
    for _ in 0..<2 {
      world.pass(seconds: 60)
      try world.perform(DeclareNodeLost(node: node, silentSeconds: 80), by: .wharfd)
      try world.perform(DeclareNodeReturned(node: node), by: .wharfd)
    }
    try world.addDeployment("grok", of: "xai/m:1", replicas: 1)
    var memory = PlanMemory()
    func pass() -> Plan {
      let remembered = plan(world.state, world.signals(), now: world.now, remembering: &memory)
      let fresh = plan(world.state, world.signals(), now: world.now)
      #expect(
        remembered.text(of: world.state, now: world.now)
          == fresh.text(of: world.state, now: world.now))
      return remembered
    }
    #expect(!pass().decisions.contains { $0 is PlaceReplicas }, "it settles")
    world.pass(seconds: 60)
    #expect(pass().decisions.contains { $0 is PlaceReplicas })
  }

  @Test
  func
    `nodes that were removed and joined again under their names are known to a pass that remembers`()
    throws
  {
    var world = try world(.devices(4))
    let names = try (0..<24).map { try Name("n\($0)") }
    for name in names { try world.addNode(name) }
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 1)
    var memory = PlanMemory()
    func settle() throws {
      let remembered = plan(world.state, world.signals(), now: world.now, remembering: &memory)
      let fresh = plan(world.state, world.signals(), now: world.now)
      #expect(
        remembered.text(of: world.state, now: world.now)
          == fresh.text(of: world.state, now: world.now))
      for command in remembered.decisions { try world.perform(command, by: .wharfd) }
    }
    try settle()
    let used = world.places(of: grok).values.first
    for name in names where name.text != used {
      try world.perform(RemoveNode(node: name, poweredOff: true))
      try world.addNode(name)
    }
    try world.perform(ScaleDeployment(deployment: "grok", replicas: names.count))
    try settle()
    #expect(Set(world.places(of: grok).values) == Set(names.map(\.text)))
  }

  @Test func `equal nodes are taken in the order of their names`() throws {
    var world = try world()
    for name in ["n2", "N1", "n10"] { try world.addNode(Name(name)) }
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 3)
    try world.settle()
    #expect(world.places(of: grok) == [1: "N1", 2: "n10", 3: "n2"])
  }

  @Test func `no device goes to two replicas of one pass`() throws {
    var world = try world(.devices(3), providers: ["xai", "openai"])
    try world.addNode("n1", .devices(4))
    try world.addDeployment("a", of: "xai/m:1", replicas: 1)
    try world.addDeployment("b", of: "openai/m:1", replicas: 1)
    let found = try world.settle()
    #expect(found.decisions.count == 2)
    #expect(world.state.attempts.count == 1)
  }

  @Test func `processors and memory are counted across one pass`() throws {
    var world = try world(.devices(0, of: .zero, cpuMillis: 3_000, memory: .gib(4)))
    try world.addNode("n1", .devices(0, cpuMillis: 8_000, memory: .gib(64)))
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 4)
    try world.settle()
    #expect(world.places(of: grok).count == 2)
    #expect(world.state.deployments[grok]?.replicas[3]?.waiting == .notEnoughCPU)
  }

  @Test func `providers take turns, so that a large one starves no small one`() throws {
    var world = try world(.devices(1), providers: ["large", "small"])
    try world.addNode("n1", .devices(4))
    let large = try world.addDeployment("a", of: "large/m:1", replicas: 100)
    let small = try world.addDeployment("b", of: "small/m:1", replicas: 2)
    try world.settle()
    #expect(world.places(of: large).keys.sorted() == [1, 2])
    #expect(world.places(of: small).keys.sorted() == [1, 2])
  }

  @Test func `whose replica waits longest begins, whatever the provider`() throws {
    var world = try world(.devices(1), providers: ["first", "second"])
    let late = try world.addDeployment("late", of: "first/m:1", replicas: 0)
    let early = try world.addDeployment("early", of: "second/m:1", replicas: 1)
    try world.settle()
    world.pass(seconds: 5)
    try world.perform(ScaleDeployment(deployment: "late", replicas: 1))
    try world.addNode("n1", .devices(1))
    try world.settle()
    #expect(world.places(of: early) == [1: "n1"])
    #expect(world.places(of: late).isEmpty)
  }

  @Test func `a replica that failed is tried elsewhere, and on the same node if there is no other`()
    throws
  {
    var world = try world(.devices(1))
    let first = try world.addNode("n1", .devices(1))
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 1)
    try world.settle()
    #expect(world.places(of: grok) == [1: "n1"])
    try world.report(first) { ObservedAttempt($0, .ended, exitCode: 1) }
    let waiting = try world.settle()
    #expect(world.state.deployments[grok]?.replicas[1]?.waiting == .backingOff)
    #expect(waiting.wakeAt == world.now.adding(seconds: 1))
    world.pass(seconds: 1)
    try world.settle()
    #expect(world.places(of: grok) == [1: "n1"])
    try world.addNode("n2", .devices(8))
    try world.report(first) { ObservedAttempt($0, .ended, exitCode: 1) }
    world.pass(seconds: 2)
    try world.settle()
    #expect(world.places(of: grok) == [1: "n2"])
  }

  @Test func `a replica on a lost node is moved only where there is a place`() throws {
    var world = try world(.devices(4))
    let first = try world.addNode("n1")
    let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 1)
    try world.settle()
    world.pass(seconds: 100)
    try world.settle(silent: [first: 90])
    #expect(world.places(of: grok) == [1: "n1"])
    let second = try world.addNode("n2")
    try world.settle(silent: [first: 95])
    #expect(world.places(of: grok) == [1: "n2"])
    #expect(world.state.nodes[first]?.attempts.count == 1)
    // Back with both alive: the newer one is kept, the older one stops and is then released.
    try world.settle()
    #expect(world.state.nodes[first]?.status == .active)
    #expect(world.places(of: grok) == [1: "n2"])
    try world.report(first) { _ in nil }
    #expect(world.state.nodes[first]?.attempts.isEmpty == true)
    #expect(world.state.nodes[second]?.attempts.count == 1)
  }

  @Test func `of a thousand nodes each replica gets the one that a full scan would choose`() throws
  {
    var random = SplitMix64(seed: 7)
    for _ in 0..<20 {
      var world = try world(.devices(random.pick([1, 2, 4]), of: .gib(random.pick([30, 70]))))
      for index in 0..<40 {
        let facts = NodeFacts.devices(
          random.pick([1, 2, 4, 8]), of: .gib(random.pick([40, 80])),
          cpuMillis: random.pick([1_000, 4_000, 64_000]), memory: .gib(random.pick([8, 64, 512])))
        try world.addNode(Name("n\(index)"), facts)
      }
      let grok = try world.addDeployment("grok", of: "xai/m:1", replicas: 60)
      let expected = scanned(world.state, grok, now: world.now)
      try world.settle()
      #expect(world.places(of: grok) == expected)
    }
  }

  /// Placement by looking at every node for each replica.
  private func scanned(_ state: HostingState, _ id: ID<Deployment>, now: Timestamp) -> [Int: String]
  {
    guard let deployment = state.deployments[id],
      let needs = state.models[deployment.model]?.versions.first?.needs
    else { return [:] }
    var tentative = Tentative()
    var counts: [ID<Node>: Int] = [:]
    var found: [Int: String] = [:]
    for number in deployment.replicas.keys.sorted() {
      let fitting = state.nodes.sorted.compactMap { node -> (Node, [String], [Int64])? in
        guard case .success(let devices) = state.fit(needs, on: node, beside: tentative, now: now)
        else { return nil }
        let free = node.facts.devices.filter { !tentative.holds($0.id, of: node.id) }
        let room = node.facts.memory - tentative.taken(on: node.id).memory
        let worth = [
          Int64(counts[node.id] ?? 0), Int64(free.count), free.map(\.memory.count).max() ?? 0,
          room.count,
        ]
        return (node, devices, worth)
      }
      guard let best = fitting.min(by: { $0.2.lexicographicallyPrecedes($1.2) }) else { break }
      tentative.take(best.1, needs, on: best.0.id)
      counts[best.0.id, default: 0] += 1
      found[number] = best.0.name.text
    }
    return found
  }
}
