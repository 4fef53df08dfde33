// The answers to "why?", word for word.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct ExplanationTests {
  private func world(replicas: Int, _ needs: Needs = .devices(2)) throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: needs)
    try world.addDeployment("grok", of: "xai/m:1", replicas: replicas)
    return world
  }

  private func text(_ world: World, silent: [ID<Node>: Double] = [:]) throws -> String {
    let id = try #require(world.state.deployments.named("grok")?.id)
    let found = explain(id, world.state, world.signals(silent: silent), now: world.now)
    return try #require(found).description
  }

  @Test func `without any node`() throws {
    var world = try world(replicas: 1)
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: there is no node
          grok-1: there is no node [noNodes]
          would help:
            add a node with 2 devices of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `ready, and nothing to say`() throws {
    var world = try world(replicas: 2)
    try world.addNode("n1")
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: 0 of 2 replicas are ready; 2 are not: \
        placed on n1 0 s ago, its agent has not begun yet
          grok-1,2: placed on n1 0 s ago, its agent has not begun yet
          nodes:
            1 whose agent has not begun yet: n1
          would help:
            see to the agent on n1, if it does not begin soon

        """)
    try world.becomeReady()
    #expect(try text(world) == "deployment grok: all 2 replicas are ready\n")
  }

  @Test func `one of two is ready, and one is not`() throws {
    var world = try world(replicas: 2)
    try world.addNode("n1", .devices(2))
    try world.settle()
    try world.becomeReady()
    #expect(
      try text(world).hasPrefix(
        "deployment grok: 1 of 2 replicas is ready; 1 is not: no node has enough free devices\n"))
  }

  @Test func `ready as last told, by a node that went silent`() throws {
    var world = try world(replicas: 1)
    let n1 = try world.addNode("n1")
    try world.settle()
    try world.becomeReady()
    world.pass(seconds: 100)
    #expect(
      try text(world, silent: [n1: 41]) == """
        deployment grok: it is ready; but n1, where it runs, is silent for 41 s
          nodes:
            1 silent for 41 s: n1
          would help:
            see to n1 and its agent; it counts as lost after 75 s of silence

        """)
    try world.settle(silent: [n1: 80])
    #expect(
      try text(world, silent: [n1: 80]) == """
        deployment grok: was ready on n1, lost since 2025-06-01 00:01:40
          grok-1: was ready on n1, lost since 2025-06-01 00:01:40
          nodes:
            1 lost: n1
          would help:
            bring n1 back; what runs there is then taken up as it is
            or, once it is off for good: wharf node remove n1 --powered-off
            add a node with 2 devices of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `nodes are ruled out by rules, and the smallest change is named`() throws {
    var world = try world(replicas: 3)
    try world.addNode("n1", .devices(3))
    try world.addNode("n2", .devices(1))
    try world.addNode("n3", .devices(8, of: .gib(40)))
    try world.addNode("n4", .devices(8, cpuMillis: 500))
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: 0 of 3 replicas are ready; 3 are not: \
        no node has enough free devices, among other reasons
          grok-1: placed on n1 0 s ago, its agent has not begun yet
          grok-2,3: no node has enough free devices [notEnoughDevices]
          of 4 nodes none fits:
            2 with too few free devices (2 wanted, at most 1 free): n1, n2
            1 with free devices of too little memory (70GiB wanted, at most 40GiB free): n3
            1 with too few free processors (1000m wanted, at most 500m free): n4
          would help:
            free 1 more device on n1
            add a node with 2 devices of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `opening a node is less than freeing devices`() throws {
    var world = try world(replicas: 2)
    try world.addNode("n1", .devices(2))
    for index in 2..<8 { try world.addNode(Name("n\(index)"), .devices(2)) }
    for index in 2..<8 { try world.perform(CordonNode(node: Name("n\(index)"))) }
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: 0 of 2 replicas are ready; 2 are not: \
        no node has enough free devices, among other reasons
          grok-1: placed on n1 0 s ago, its agent has not begun yet
          grok-2: no node has enough free devices [notEnoughDevices]
          of 7 nodes none fits:
            6 cordoned: n2, n3, n4 and 3 more
            1 with too few free devices (2 wanted, at most 0 free): n1
          would help:
            uncordon n2
            add a node with 2 devices of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `a node that lost a device in use is told with the device`() throws {
    var world = try world(replicas: 1)
    let n1 = try world.addNode("n1", .devices(3))
    try world.settle()
    try world.becomeReady()
    let lost = world.state.nodes[n1]?.charges.keys.min() ?? ""
    var facts = NodeFacts.devices(3)
    facts.devices.removeAll { $0.id == lost }
    try world.report(n1, facts: facts)
    try world.report(n1) { ObservedAttempt($0, .ended, exitCode: 1) }
    world.pass(seconds: 4)
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: no node takes new replicas
          grok-1: no node takes new replicas [noOpenNode]
          of 1 nodes none fits:
            1 cordoned, since device \(lost) vanished in use: n1
          would help:
            look at what it lost and uncordon n1
            add a node with 2 devices of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `a replica that failed says how, where and when it is tried again`() throws {
    var world = try world(replicas: 1)
    let n1 = try world.addNode("n1")
    for _ in 0..<3 {
      try world.settle()
      try world.report(n1) { ObservedAttempt($0, .ended, exitCode: 137) }
      if world.state.deployments.named("grok")?.replicas[1]?.failures ?? 0 < 3 {
        world.pass(seconds: 4)
      }
    }
    let failed = try #require(world.state.deployments.named("grok")?.replicas[1]?.lastFailed)
    #expect(
      try text(world) == """
        deployment grok: failed 3 times in a row, last on n1: exit code 137; tried again in 4 s
          grok-1: failed 3 times in a row, last on n1: exit code 137; \
        tried again in 4 s [backingOff]
          nodes:
            1 where it failed last: n1
          would help:
            to try at once: wharf replica restart grok-1
            what its engine said last: ended/\(failed)/engine.log in the folder of the agent on n1

        """)
  }

  @Test func `a suspended provider, and an agreement that ended meanwhile`() throws {
    var world = try world(replicas: 1)
    try world.addNode("n1")
    try world.perform(SuspendProvider(provider: "xai"))
    try world.settle()
    #expect(
      try text(world) == """
        deployment grok: provider xai is suspended
          grok-1: provider xai is suspended [providerSuspended]
          nodes:
            1 not asked, since it may run on none
          would help:
            wharf provider reinstate xai

        """)
    world.now = world.now.adding(days: 731)
    #expect(
      try text(world).contains(
        """
          would help:
            wharf provider reinstate xai
            wharf agreement sign xai --scope inference …

        """))
  }

  @Test func `a deleted deployment tells what still holds it`() throws {
    var world = try world(replicas: 1)
    try world.addNode("n1")
    try world.settle()
    try world.perform(DeleteDeployment(deployment: "grok"))
    #expect(
      try text(world)
        == """
        deployment grok: it is deleted, and 1 attempt has still to prove the end
          grok-1: stopping on n1: it was told to stop at 2025-06-01, \
        killed 10 s later if it has not ended, and holds 2 devices
          nodes:
            1 where it is stopping: n1
          would help:
            wait until n1 proves its end

        """)
  }

  @Test func `where none is wanted, the command that wants one is told`() throws {
    #expect(
      try text(world(replicas: 0)) == """
        deployment grok: no replica is wanted
          would help:
            want some: wharf deployment scale grok --replicas 1

        """)
  }

  @Test(arguments: [
    (
      [NodeTrouble.deviceToolFailed], "in trouble, since the tool that lists its devices fails",
      "on n1 see to nvidia-smi there"
    ),
    (
      [NodeTrouble.ledgerUnwritable], "in trouble, since its agent's folder cannot be written",
      "on n1 make room on the disk of its agent's folder"
    ),
    (
      [NodeTrouble.secretsReadable], "in trouble, since others can read its agent's secrets",
      "on n1 chmod -R go-rwx its agent's folder"
    ),
  ])
  func `what is ready on a node with trouble is told with that`(
    troubles: [NodeTrouble], words: String, remedy: String
  ) throws {
    var world = try world(replicas: 1)
    let n1 = try world.addNode("n1")
    try world.settle()
    try world.becomeReady()
    let node = try #require(world.state.nodes[n1])
    try world.perform(
      ReportNode(
        bootID: node.bootID, incarnation: "agent-1", generation: node.generation, facts: node.facts,
        attempts: node.attempts.compactMap { world.state.attempts[$0] }
          .map { ObservedAttempt(asKnown: $0) }, troubles: troubles), by: .agent(n1))
    #expect(
      try text(world) == """
        deployment grok: it is ready; but n1, where it runs, is \(words)
          nodes:
            1 \(words): n1
          would help:
            \(remedy)

        """)
  }

  @Test func `so is a device that vanished from under another`() throws {
    var world = try world(replicas: 2)
    let n1 = try world.addNode("n1")
    try world.settle()
    try world.becomeReady()
    let second = try #require(world.state.deployments.named("grok")?.replicas[2]?.attempt)
    let lost = try #require(world.state.attempts[second]?.devices.first)
    var facts = NodeFacts.devices(4)
    facts.devices.removeAll { $0.id == lost }
    try world.report(n1, facts: facts)
    #expect(
      try text(world).contains(
        "all 2 replicas are ready; but n1, where some run, is cordoned, since device \(lost) "
          + "vanished in use\n"))
    #expect(try text(world).contains("look at what n1 lost, then: wharf node uncordon n1"))
  }

  /// One replica that is ready and to go, on the only device, and one of another that wants it.
  private func leaving() throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    try world.addDeployment("old", of: "xai/m:1", replicas: 1)
    try world.addNode("n1", .devices(1))
    try world.settle()
    try world.becomeReady()
    try world.perform(RegisterGateway(name: "edge", credential: .numbered(77)))
    let gateway = Principal(actor: .of(Stream(.gateway, world.state.position)), role: .gateway)
    try world.perform(
      StartGatewayProcess(incarnation: "a1b2", address: "10.0.0.7:7480"), by: gateway)
    try world.perform(ScaleDeployment(deployment: "old", replicas: 0))
    try world.addDeployment("grok", of: "xai/m:1", replicas: 2)
    var signals = world.signals()
    signals.enforced = world.state.position
    for command in plan(world.state, signals, now: world.now).decisions {
      try world.perform(command, by: .wharfd)
    }
    return world
  }

  private func explained(_ world: World, _ name: Name, heard: Double?) throws -> String {
    var signals = world.signals()
    let process = try #require(world.state.gatewayProcesses.values.first)
    signals.gateways = [
      GatewayStanding(
        process: process.id, called: "edge (10.0.0.7:7480)", enforced: process.id,
        heardSeconds: heard, leaseSeconds: 40)
    ]
    let id = try #require(world.state.deployments.named(name)?.id)
    return try #require(explain(id, world.state, signals, now: world.now)).description
  }

  @Test func `what a gateway has not left yet is told, and when its devices are free`() throws {
    let world = try leaving()
    let wait =
      "waits for gateway edge (10.0.0.7:7480) to leave it, until 2025-06-01 00:00:30 at the latest"
    #expect(
      try explained(world, "old", heard: 20) == """
        deployment old: no replica is wanted
          old-1: stopping on n1: it \(wait), and holds device d0
          would help:
            want some: wharf deployment scale old --replicas 1
            if gateway edge (10.0.0.7:7480) is off for certain: \
        wharf gateway powered-off edge --process a1b2

        """)
    #expect(
      try explained(world, "grok", heard: 1) == """
        deployment grok: 0 of 2 replicas are ready; 2 are not: \
        no node has enough free devices, among other reasons
          grok-1: engines that stop hold what it needs [enginesStopping]
          grok-2: no node has enough free devices [notEnoughDevices]
          of 1 nodes none fits:
            1 with too few free devices (1 wanted, at most 0 free, 1 more once what stops there \
        has ended): n1
          would help:
            wait until what stops on n1 has ended: old-1 \(wait)
            free 1 more device on n1
            add a node with 1 device of 70GiB, 1000m CPU, 8GiB memory

        """)
  }

  @Test func `a replica that is wanted no more can be asked while it stops`() throws {
    let world = try leaving()
    let old = try #require(world.state.deployments.named("old"))
    let id = ReplicaID(deployment: old.id.position, number: 1)
    let found = try #require(explain(id, world.state, world.signals(), now: world.now))
    #expect(
      found.verdict
        == "it is wanted no more: stopping on n1: it waits for gateways to leave it, "
        + "until 2025-06-01 00:00:30 at the latest, and holds device d0")
    #expect(
      explain(
        ReplicaID(deployment: old.id.position, number: 9), world.state, world.signals(),
        now: world.now) == nil)
  }

  @Test func `a replica is asked alone`() throws {
    var world = try world(replicas: 2)
    try world.addNode("n1", .devices(2))
    try world.settle()
    let grok = try #require(world.state.deployments.named("grok"))
    let second = try #require(grok.replicas[2]?.id)
    let found = explain(second, world.state, world.signals(), now: world.now)
    #expect(found?.subject == "replica grok-2")
    #expect(found?.verdict == "no node has enough free devices")
    #expect(found?.remedies.first == "free 2 more devices on n1")
  }

  @Test func `what is said to help does help`() throws {
    var random = SplitMix64(seed: 11)
    var tried = 0
    for _ in 0..<60 {
      var world = try world(replicas: 1, .devices(random.pick([1, 2]), of: .gib(30)))
      for name in ["n1", "n2", "n3"] as [Name] {
        try world.addNode(
          name,
          .devices(
            random.pick([0, 1, 8]), of: .gib(random.pick([16, 40])),
            cpuMillis: random.pick([500, 9_000])))
        if random.chance(80) { try world.perform(CordonNode(node: name)) }
      }
      try world.settle()
      let grok = try #require(world.state.deployments.named("grok"))
      let found = explain(grok.id, world.state, world.signals(), now: world.now)
      guard let first = found?.remedies.first, first.hasPrefix("uncordon ") else { continue }
      #expect(!first.contains(" and "))
      tried += 1
      try world.perform(UncordonNode(node: try Name(String(first.dropFirst(9)))))
      try world.settle()
      #expect(world.places(of: grok.id).count == 1)
    }
    #expect(tried > 5)
  }
}
