// Whatever is not ready has an answer to "why?": with the nodes that it hangs on, or a word on why there is
// none, and with what would help.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite struct ExplanationCoverageTests {
  private func world(
    _ needs: Needs = .devices(2), exclusive: Bool? = nil
  ) throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: needs)
    try world.addDeployment("grok", of: "xai/m:1", replicas: 1, exclusive: exclusive)
    return world
  }

  private func placed(exclusive: Bool? = nil) throws -> World {
    var world = try world(exclusive: exclusive)
    try world.addNode("n1", .devices(2))
    try world.settle()
    return world
  }

  /// Of the deployment and of its replica: both are asked about.
  private func answers(
    _ world: World, silent: [ID<Node>: Double] = [:]
  ) throws -> [Explanation] {
    let id = try #require(world.state.deployments.named("grok")?.id)
    let signals = world.signals(silent: silent)
    return [
      try #require(explain(id, world.state, signals, now: world.now)),
      try #require(
        explain(
          ReplicaID(deployment: id.position, number: 1), world.state, signals, now: world.now)),
    ]
  }

  // MARK: Without an attempt

  /// - Returns: nothing, where no explanation has this reason.
  private func waiting(for reason: WaitingReason) throws -> World? {
    switch reason {
    case .paused: return nil  // Nothing is.
    case .nodeLost: return nil  // It has an attempt, see below.
    case .new:
      var world = try world()
      try world.addNode("n1")
      return world
    case .noNodes: return try world()
    case .noOpenNode:
      var world = try world()
      try world.addNode("n1")
      try world.perform(CordonNode(node: "n1"))
      return world
    case .notEnoughDevices: return try with(.devices(1))
    case .deviceMemoryTooSmall: return try with(.devices(2, of: .gib(40)))
    case .notEnoughCPU: return try with(.devices(2, cpuMillis: 500))
    case .notEnoughMemory: return try with(.devices(2, memory: .gib(4)))
    case .backingOff:
      var world = try placed()
      try world.report(world.state.nodes.sorted[0].id) {
        ObservedAttempt($0, .ended, exitCode: 137)
      }
      return world
    case .agreementEnded:
      var world = try with(.devices(2))
      world.pass(seconds: 731 * 86_400)
      return world
    case .providerSuspended:
      var world = try with(.devices(2))
      try world.perform(SuspendProvider(provider: "xai"))
      return world
    case .enginesStopping:
      var world = try placed()
      try world.becomeReady()
      try world.perform(RestartReplica(deployment: "grok", number: 1))
      return world
    }
  }

  private func with(_ facts: NodeFacts) throws -> World {
    var world = try world()
    try world.addNode("n1", facts)
    return world
  }

  @Test(arguments: WaitingReason.allCases)
  func `each reason to wait comes with the nodes, and with help`(reason: WaitingReason) throws {
    guard let world = try waiting(for: reason) else { return }
    for answer in try answers(world) {
      #expect(answer.replicas.map(\.reason).contains(reason), "\(answer)")
      // Where there is no node, the verdict says so.
      #expect(answer.ruledOut.isEmpty == (reason == .noNodes), "\(answer)")
      #expect(!answer.remedies.isEmpty, "\(answer)")
    }
  }

  // MARK: With an attempt

  private enum Hearing: CaseIterable { case heard, silent, lost }

  private struct Case: CustomTestStringConvertible, Sendable {
    let phase: AttemptPhase
    let hearing: Hearing
    /// It is exclusive, and restarted on a person's word: it keeps its attempt until the end is proved.
    let isRestarted: Bool

    static let all = AttemptPhase.allCases.flatMap { phase in
      Hearing.allCases.flatMap { hearing in
        [false, true].map { Case(phase: phase, hearing: hearing, isRestarted: $0) }
      }
    }

    var isReady: Bool { phase == .ready && hearing == .heard && !isRestarted }
    var testDescription: String {
      "\(phase), \(hearing)\(isRestarted ? ", restarted" : "")"
    }
  }

  @Test(arguments: Case.all)
  private func `each phase that is not ready comes with its node, and with help`(
    of case: Case
  ) throws {
    var world = try placed(exclusive: true)
    let n1 = try #require(world.state.nodes.sorted.first).id
    if `case`.phase != .placed {
      try world.report(n1) { ObservedAttempt($0, `case`.phase) }
      let phases = world.state.attempts.values.map(\.phase)
      #expect(phases == (`case`.phase == .ended ? [] : [`case`.phase]), "it is as meant")
    }
    if `case`.isRestarted {
      try world.perform(RestartReplica(deployment: "grok", number: 1))
    }
    var silent: [ID<Node>: Double] = [:]
    switch `case`.hearing {
    case .heard: break
    case .silent: silent[n1] = 40
    case .lost:
      silent[n1] = 80
      try world.perform(DeclareNodeLost(node: n1, silentSeconds: 80), by: .wharfd)
    }
    for answer in try answers(world, silent: silent) {
      guard !`case`.isReady else {
        #expect(answer.ruledOut.isEmpty && answer.remedies.isEmpty, "\(answer)")
        continue
      }
      let isReadyAsTold =
        `case`.phase == .ready && `case`.hearing == .silent && !`case`.isRestarted
      #expect(answer.replicas.isEmpty == isReadyAsTold, "as lists count it: \(answer)")
      #expect(answer.ruledOut.contains { $0.text.contains("n1") }, "\(answer)")
      #expect(!answer.remedies.isEmpty, "\(answer)")
    }
  }

  // MARK: Ready as told, and of no use

  @Test func `an engine whose key was made with a lost secret is told with the remedy`() throws {
    var world = try placed()
    try world.happen(ClusterSecretRecorded(fingerprint: .numbered(1)))
    try world.becomeReady()
    #expect(try answers(world)[0].description == "deployment grok: it is ready\n")
    try world.happen(ClusterSecretRecorded(fingerprint: .numbered(2)))
    #expect(
      try answers(world)[0].description == """
        deployment grok: on n1 no gateway can ask it: its key was made with a secret that is lost
          grok-1: on n1 no gateway can ask it: its key was made with a secret that is lost
          nodes:
            1 with an engine whose key was made with a secret that is lost: n1
          would help:
            wait: it is being restarted with a key of the new secret

        """)
    // As it says: the next plan does so.
    #expect(try world.settle().decisions.contains { $0 is RestartAttempts })
  }

  @Test(arguments: [
    (
      AttemptPhase.checkingWeights, "its weights are being checked on n1, placed 9 s ago",
      "wait: all of its weights are read on n1 before it starts"
    ),
    (
      .starting, "starting on n1, placed 9 s ago",
      "wait: it is given up if it is not ready within 60 s of its start"
    ),
    (
      .loading, "loading on n1, placed 9 s ago",
      "wait: it is given up if it is not ready within 60 s of its start"
    ),
    (
      .unhealthy, "on n1 it no longer answers its probe",
      "or at once: wharf replica restart grok-1"
    ),
  ])
  func `what is on its way, or ails, is told in words`(
    phase: AttemptPhase, words: String, help: String
  ) throws {
    var world = try placed()
    try world.report(world.state.nodes.sorted[0].id) { ObservedAttempt($0, phase) }
    world.pass(seconds: 9)
    let answer = try answers(world)[0]
    #expect(answer.verdict == words)
    #expect(answer.remedies.last == help)
  }
}
