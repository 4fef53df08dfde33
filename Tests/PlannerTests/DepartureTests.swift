// Engines are told to stop once gateways have left them, or were waited for long enough.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct DepartureTests {
  /// Two ready replicas, one of them to go.
  private func world(scaledTo count: Int = 1) throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/grok", needs: .devices(1))
    try world.addNode("n1")
    try world.addDeployment("grok", of: "xai/grok:1", replicas: 2)
    try world.settle()
    try world.becomeReady()
    try world.perform(ScaleDeployment(deployment: "grok", replicas: count))
    return world
  }

  private func signals(_ world: World, enforced: Position?) -> Signals {
    var signals = world.signals()
    signals.enforced = enforced
    return signals
  }

  private func text(_ world: World, enforced: Position?) -> String {
    plan(world.state, signals(world, enforced: enforced), now: world.now)
      .text(of: world.state, now: world.now)
  }

  private func carryOut(_ world: inout World, enforced: Position?) throws {
    let plan = plan(world.state, signals(world, enforced: enforced), now: world.now)
    for decision in plan.decisions { try world.perform(decision, by: .wharfd) }
  }

  @Test func `it leaves the routes, and stops when every gateway that may serve has left it`()
    throws
  {
    var world = try world()
    let before = world.state.position
    #expect(text(world, enforced: before).hasPrefix("remove   grok-2\n"))
    try carryOut(&world, enforced: before)
    #expect(world.state.leaving.count == 1)
    #expect(world.state.attempts.values.allSatisfy { !$0.stopping })
    #expect(text(world, enforced: before) == "wake     in 30 s\n")
    let left = world.state.position
    #expect(text(world, enforced: left).hasPrefix("dismiss  grok-2, which gateways left\n"))
    try carryOut(&world, enforced: left)
    #expect(world.state.attempts.values.count { $0.stopping } == 1)
    #expect(world.state.leaving.isEmpty)
    #expect(plan(world.state, signals(world, enforced: left), now: world.now).decisions.isEmpty)
  }

  @Test func `who does not say so is waited for so long, and no longer`() throws {
    var world = try world()
    let before = world.state.position
    try carryOut(&world, enforced: before)
    world.pass(seconds: Int64(Leases.leaveSeconds) - 1)
    #expect(text(world, enforced: before) == "wake     in 1 s\n")
    world.pass(seconds: 1)
    #expect(
      text(world, enforced: before).hasPrefix("dismiss  grok-2, though not all gateways left\n"))
  }

  @Test
  func
    `what a gateway still waits for answers of is told once they are there, or its grace is over`()
    throws
  {
    var world = try world()
    try carryOut(&world, enforced: world.state.position)
    let id = try #require(world.state.leaving.first)
    let left = world.state.position
    func text(serving: Set<AttemptID>) -> String {
      var signals = signals(world, enforced: left)
      signals.serving = serving
      return plan(world.state, signals, now: world.now).text(of: world.state, now: world.now)
    }
    let other = try #require(world.state.attempts.keys.first { $0 != id })
    #expect(text(serving: [other]).hasPrefix("dismiss  grok-2, which gateways left\n"))
    #expect(text(serving: [id]) == "wake     in 30 s\n")
    let grace = try #require(world.state.attempts[id].flatMap { world.state.stopGraceSeconds($0) })
    world.pass(seconds: Int64(max(grace, Leases.leaveSeconds)))
    #expect(text(serving: [id]).hasPrefix("dismiss  grok-2, though not all gateways left\n"))
  }

  @Test func `where no gateway may serve it stops at once`() throws {
    var world = try world()
    try carryOut(&world, enforced: nil)
    #expect(world.state.attempts.values.count { $0.stopping } == 1)
  }

  @Test func `what may not run any more is not waited for`() throws {
    var world = try world()
    let before = world.state.position
    try carryOut(&world, enforced: before)
    try world.perform(SuspendProvider(provider: "xai"))
    try carryOut(&world, enforced: before)
    #expect(world.state.attempts.values.allSatisfy { $0.stopping })
  }

  @Test func `a deleted deployment's are waited for as well, and one that ends by itself is not`()
    throws
  {
    var world = try world()
    try world.perform(DeleteDeployment(deployment: "grok"))
    let deleted = world.state.position
    #expect(world.state.leaving.count == 2)
    try world.report(world.state.nodes.sorted[0].id) { attempt in
      attempt.id.replica.number == 1
        ? ObservedAttempt(attempt, .ended, exitCode: 0) : ObservedAttempt(asKnown: attempt)
    }
    #expect(world.state.leaving.count == 1)
    try carryOut(&world, enforced: deleted)
    #expect(world.state.attempts.values.allSatisfy { $0.stopping })
  }

  @Test func `processes of gateways that serve nothing any more are noted`() throws {
    var world = try world(scaledTo: 2)
    try world.perform(RegisterGateway(name: "g", credential: .numbered(77)))
    let gateway = Principal(actor: .of(Stream(.gateway, world.state.position)), role: .gateway)
    try world.perform(StartGatewayProcess(incarnation: "a", address: "h:1"), by: gateway)
    var signals = world.signals()
    signals.silentGateways = [world.state.position, 1]
    let plan = plan(world.state, signals, now: world.now)
    #expect(plan.decisions.count == 1)
    for decision in plan.decisions { try world.perform(decision, by: .wharfd) }
    #expect(world.state.gatewayProcesses.isEmpty)
  }

  @Test func `while agents may hold leases of a leader with a longer one, no node is lost`() throws
  {
    let world = try world(scaledTo: 2)
    var signals = Signals(hearingSeconds: 80)
    signals.inheritedSeconds = 100
    let held = plan(world.state, signals, now: world.now.adding(seconds: 200))
    #expect(held.decisions.isEmpty && held.wakeAt != nil)
    signals.hearingSeconds = 100
    #expect(plan(world.state, signals, now: world.now.adding(seconds: 200)).decisions.count >= 1)
  }
}
