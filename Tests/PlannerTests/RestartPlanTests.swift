// Replicas that no gateway gets an answer from are restarted, one at a time.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct RestartPlanTests {
  private func world(replicas: Int) throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    try world.addDeployment("grok", of: "xai/m:1", replicas: replicas)
    try world.addNode("n1", .devices(8))
    try world.settle()
    try world.becomeReady()
    return world
  }

  private func attempts(_ world: World) -> [AttemptID] {
    world.state.deployments.named("grok")?.replicas.values.compactMap(\.attempt).sorted() ?? []
  }

  private func restarts(
    _ world: World, _ seen: [AttemptID: Signals.Sighting]
  ) -> [RestartAttempts] {
    var signals = world.signals()
    signals.sightings = seen
    return plan(world.state, signals, now: world.now).decisions.compactMap {
      $0 as? RestartAttempts
    }
  }

  @Test(arguments: [
    (Signals.Sighting(asked: 9, answered: 0, gaveUp: 5), true),
    (Signals.Sighting(asked: 9, answered: 0, gaveUp: 4), false),
    (Signals.Sighting(asked: 90, answered: 1, gaveUp: 89), false),
    (Signals.Sighting(asked: 9, answered: 0, gaveUp: 0), false),
  ])
  func `many given up on and none answered say that it hangs`(
    sighting: Signals.Sighting, hangs: Bool
  ) throws {
    let world = try world(replicas: 1)
    let id = try #require(attempts(world).first)
    let found = restarts(world, [id: sighting])
    #expect(found.map(\.attempts) == (hangs ? [[id]] : []))
    if hangs {
      #expect(found[0].cause == .unanswering)
      #expect(found[0].requests == RequestCounts(asked: 9, gaveUp: 5))
    }
  }

  @Test func `requests that were given up on since its last answer count, and are told`() throws {
    let world = try world(replicas: 1)
    let id = try #require(attempts(world).first)
    var rarely = Signals.Sighting(asked: 1, answered: 0, gaveUp: 1)
    rarely.silence = .init(asked: 6, gaveUp: 5, seconds: 1_250)
    let found = restarts(world, [id: rarely])
    #expect(found.first?.requests == RequestCounts(asked: 6, gaveUp: 5))
    let told = "of 6 requests in the last 20 min none was answered, and 5 met silence"
    #expect(try why(world, [id: rarely]).verdict.hasSuffix(told))
    rarely.answered = 1
    #expect(restarts(world, [id: rarely]).isEmpty, "it answers")
  }

  @Test func `one of a deployment at a time, and none while another has just failed`() throws {
    var world = try world(replicas: 3)
    let hung = Signals.Sighting(asked: 9, answered: 0, gaveUp: 9)
    let all = Dictionary(uniqueKeysWithValues: attempts(world).map { ($0, hung) })
    let first = restarts(world, all)
    #expect(first.count == 1 && first[0].attempts.count == 1)
    try world.perform(first[0], by: .wharfd)
    #expect(restarts(world, all).isEmpty)
    world.pass(seconds: 61)
    #expect(restarts(world, all).count == 1, "the others hang as well")
  }

  private func why(
    _ world: World, _ seen: [AttemptID: Signals.Sighting], replica number: Int? = nil
  ) throws -> Explanation {
    let id = try #require(world.state.deployments.named("grok")?.id)
    var signals = world.signals()
    signals.sightings = seen
    let found =
      if let number {
        explain(
          ReplicaID(deployment: id.position, number: number), world.state, signals, now: world.now)
      } else {
        explain(id, world.state, signals, now: world.now)
      }
    return try #require(found)
  }

  @Test func `why does not say that one is ready which answers nobody`() throws {
    let world = try world(replicas: 3)
    let ids = attempts(world)
    let hung = [ids[1]: Signals.Sighting(asked: 9, answered: 0, gaveUp: 5)]
    let told = "of 9 requests in the last 60 s none was answered, and 5 met silence"
    let one = try why(world, hung, replica: 2)
    #expect(
      one.verdict == "on n1 its engine says that it is ready, and answers nobody: \(told)")
    #expect(one.remedies.contains("or at once: wharf replica restart grok-2"))
    #expect(
      one.ruledOut.map(\.text)
        == ["1 where the engine says that it is ready, and answers nobody: n1"])
    let all = try why(world, hung)
    #expect(all.verdict.hasPrefix("2 of 3 replicas are ready; 1 is not: on n1 its engine says"))
    #expect(try why(world, hung, replica: 1).verdict == "it is ready")
  }

  @Test func `why tells what a ready one left unanswered`() throws {
    let world = try world(replicas: 2)
    let ids = attempts(world)
    let seen = [ids[0]: Signals.Sighting(asked: 30, answered: 17, gaveUp: 13)]
    let told = "of 30 requests in the last 60 s 17 were answered, and 13 met silence"
    #expect(try why(world, seen, replica: 1).verdict == "it is ready; but \(told)")
    let all = try why(world, seen)
    #expect(all.verdict == "all 2 replicas are ready; but requests meet silence at 1 of them")
    #expect(all.facts == ["grok-1: \(told)"])
    #expect(all.remedies == ["if it goes on: wharf replica restart grok-1"])
    #expect(try why(world, [:]).verdict == "all 2 replicas are ready")
  }

  @Test func `what is not ready, or not current, is left to those who know`() throws {
    var world = try world(replicas: 1)
    let id = try #require(attempts(world).first)
    let hung = [id: Signals.Sighting(asked: 9, answered: 0, gaveUp: 9)]
    try world.report(world.state.nodes.sorted[0].id) { ObservedAttempt($0, .unhealthy) }
    #expect(restarts(world, hung).isEmpty)
    try world.perform(RestartReplica(deployment: "grok", number: 1))
    #expect(restarts(world, hung).isEmpty)
  }

  @Test func `a node is emptied and removed as its refusal says, and loses no replica`() throws {
    var world = try world(replicas: 2)
    let n1 = try #require(world.state.nodes.sorted.first).id
    let grok = try #require(world.state.deployments.named("grok")).id
    try world.addNode("n2", .devices(8))
    #expect(throws: Refusal.self) {
      try world.perform(RemoveNode(node: "n1", poweredOff: false), by: .testAdmin)
    }
    try world.perform(CordonNode(node: "n1"))
    for number in 1...2 {
      try world.perform(RestartReplica(deployment: "grok", number: number))
      try world.settle()
    }
    #expect(world.places(of: grok) == [1: "n2", 2: "n2"])
    try world.report(n1) { ObservedAttempt($0, .ended, exitCode: 0) }
    try world.becomeReady()
    #expect(world.state.deployments[grok]?.ready == 2)
    try world.perform(RemoveNode(node: "n1", poweredOff: false), by: .testAdmin)
    #expect(world.state.nodes.named("n1") == nil)
    #expect(try world.settle().decisions.isEmpty)
  }

  /// One replica that has all devices there are, and is restarted while it is ready.
  private func restarted(formatLevel: Int = FormatLevel.current) throws -> World {
    var world = World(formatLevel: formatLevel)
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(2))
    try world.addDeployment("grok", of: "xai/m:1", replicas: 1)
    try world.addNode("n1", .devices(2))
    try world.settle()
    try world.becomeReady()
    try world.perform(ScaleDeployment(deployment: "grok", replicas: 2))
    try world.settle()
    try world.perform(RestartReplica(deployment: "grok", number: 1))
    return world
  }

  @Test func `a restarted replica waits for its own old engine, and for nothing a person does`()
    throws
  {
    var world = try restarted()
    let old = try #require(world.state.departing.first)
    // The other one waited before, and comes first no more than it did.
    #expect(
      try world.settle().text(of: world.state, now: world.now).contains(
        "wait     grok-1: enginesStopping\n"))
    #expect(
      world.state.deployments.named("grok")?.replicas.values.sorted { $0.id < $1.id }.map(\.waiting)
        == [.enginesStopping, .notEnoughDevices])
    let deployment = try #require(world.state.deployments.named("grok"))
    let found = try #require(
      explain(deployment.id, world.state, world.signals(), now: world.now))
    #expect(
      found.remedies.first
        == "wait until what stops on n1 has ended: grok-1 was told to stop at 2025-06-01, "
        + "killed 10 s later if it has not ended")
    try world.report(world.state.nodes.sorted[0].id) { attempt in
      attempt.id == old ? ObservedAttempt(attempt, .ended, exitCode: 0) : nil
    }
    #expect(world.state.departing.isEmpty)
    try world.settle()
    #expect(world.places(of: deployment.id).count == 1)
  }

  @Test func `where the old engine's end frees nothing open, it is not waited for`() throws {
    var world = try restarted()
    try world.perform(CordonNode(node: "n1"))
    try world.settle()
    #expect(
      world.state.deployments.named("grok")?.replicas.values.allSatisfy {
        $0.waiting == .noOpenNode
      }
        == true)
  }
}
