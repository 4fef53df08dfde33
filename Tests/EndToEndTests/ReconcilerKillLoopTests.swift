// wharfd is killed at any moment while deployments come, change and go on real agents with simulated
// engines. Afterwards exactly what was acknowledged as wanted runs: read from the engines' own logs and
// the process table. With WHARF_KILL_LOOP_SECONDS the loop runs for that long.

import Foundation
import Glibc
import Hosting
import Synchronization
import TestKit
import Testing
import Wire

private let loopSeconds = Double(
  ProcessInfo.processInfo.environment["WHARF_KILL_LOOP_SECONDS"] ?? "")
private let usualLoopSeconds = 30.0

/// Agents of two wharfd, and what is wanted of them, as its client was told.
private final class Fleet: Sendable {
  static let nodes = 2
  static let devicesPerNode = 4

  let wharfds: Wharfds
  private let client: Client
  private let agents = Mutex<[Child]>([])
  /// By the position at which each was made.
  private let wanted = Mutex<[Position: (name: Name, replicas: Int)]>([:])

  init(_ wharfds: Wharfds) throws {
    self.wharfds = wharfds
    client = Client(wharfds, try wharfds.token())
  }

  /// A test that failed leaves nothing behind.
  deinit {
    for agent in agents.withLock({ $0 }) { agent.send(SIGKILL) }
    for pid in wharfds.folder.survivors() + engines { kill(pid, SIGKILL) }
  }

  var engines: [pid_t] { wharfds.folder.engines }
  var wantedCount: Int { wanted.withLock { $0.values.reduce(0) { $0 + $1.replicas } } }
  private var deviceCount: Int { Self.nodes * Self.devicesPerNode }

  private func engineLog(_ node: Int) -> String { "agent-\(node)/engines.jsonl" }

  /// Sends it until its fate is known, to whichever wharfd answers.
  @discardableResult
  private func tell(_ command: some Command) async throws -> Position {
    let outcome = try await client.settle(client.call(command), from: Int.random(in: 0...1))
    guard case .stored(let position) = outcome else {
      throw TestFailure("\(command) came to \(outcome)")
    }
    return position
  }

  func begin() async throws {
    try await tell(RegisterProvider(name: "xai"))
    try await tell(
      SignAgreement(
        provider: "xai",
        terms: Terms(
          scope: [.inference], audiences: [.internal], from: Timestamp("2025-05-01")!,
          until: Timestamp("2095-05-01")!, noticeDays: 90)))
    try await tell(OnboardModel(model: "xai/grok", task: .chat, contextLength: nil))
    try await tell(
      AddModelVersion(
        model: "xai/grok:1", engine: "sim",
        needs: Needs(devices: 1, deviceMemory: .gib(70), cpuMillis: 100, memory: .gib(1)),
        arguments: ["--engine-log=../../engines.jsonl"], modelPath: nil, weights: nil))
    for node in 1...Self.nodes { try await startAgent(node) }
  }

  private func startAgent(_ node: Int) async throws {
    var random = SystemRandomNumberGenerator()
    let token = Secret(.join, using: &random)
    try await tell(IssueJoinToken(token: token.digest, validHours: 1))
    let folder = wharfds.folder
    let file = folder.path("join-token-\(node)")
    try folder.write(secret: token.text, to: "join-token-\(node)")
    let ports = try Ports.take(10)
    let agent = try Child(
      [
        builtProgram("wharf-agent"), "run", "--server", wharfds.url(0), "--server", wharfds.url(1),
        "--data", folder.path("agent-\(node)"), "--name", "node-\(node)", "--join-token-file", file,
        "--port-range", "\(ports.lowerBound)-\(ports.upperBound)", "--devices",
        "\(Self.devicesPerNode)xH100-80G",
        "--cpu", "8", "--memory", "64GiB",
      ], environment: folder.environment(), folder: folder)
    agents.withLock { $0.append(agent) }
  }

  /// One change at random, so that no more is wanted than there are devices.
  func change(_ step: Int) async throws {
    let all = wanted.withLock { $0 }
    let room = deviceCount - wantedCount
    let some = all.randomElement()
    switch Int.random(in: 0..<4) {
    case 0, 1:
      if let some {
        let replicas = Int.random(in: 0...min(4, some.value.replicas + room))
        try await tell(ScaleDeployment(deployment: some.value.name, replicas: replicas))
        wanted.withLock { $0[some.key]?.replicas = replicas }
      }
    case 2:
      if let some {
        try await tell(DeleteDeployment(deployment: some.value.name))
        wanted.withLock { $0[some.key] = nil }
      }
    default:
      let name = try Name("d-\(step)")
      let replicas = Int.random(in: 0...min(3, room))
      let position = try await tell(
        CreateDeployment(name: name, model: "xai/grok:1", replicas: replicas))
      wanted.withLock { $0[position] = (name, replicas) }
    }
  }

  /// Every deployment goes.
  func empty() async throws {
    for (position, deployment) in wanted.withLock({ $0 }) {
      try await tell(DeleteDeployment(deployment: deployment.name))
      wanted.withLock { $0[position] = nil }
    }
  }

  func holdings() throws -> EngineHoldings {
    try EngineHoldings(
      logs: Dictionary(
        uniqueKeysWithValues: (1...Self.nodes).map {
          ("node-\($0)", wharfds.folder.text(engineLog($0)) ?? "")
        }))
  }

  /// Live engines of each deployment, by its position, as they say themselves.
  private func running() throws -> [Position: Int] {
    let live = Set(engines)
    return try holdings().holdings.filter { live.contains($0.pid) }.reduce(into: [:]) {
      found, one in
      let attempt = try AttemptID(jsonText: one.attempt)
      found[attempt.replica.deployment, default: 0] += 1
    }
  }

  /// What runs is what is wanted, each engine was started once, no device was shared, and then the log
  /// rests.
  func expectWanted(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let expected = wanted.withLock { $0.mapValues(\.replicas).filter { $0.value > 0 } }
    do {
      try await eventually("what is wanted runs, and nothing else", withinSeconds: 120) {
        try running() == expected && engines.count == expected.values.reduce(0, +)
      }
    } catch {
      throw TestFailure("\(error): \(try running()), not \(expected)\n\(lastWords())")
    }
    let settled = engines
    try await eventually("the log rests") {
      let head = try wharfds.head()
      try await Task.sleep(for: .seconds(Self.restSeconds))
      return try wharfds.head() == head
    }
    #expect(engines == settled, sourceLocation: sourceLocation)
    let holdings = try holdings()
    let twice = holdings.starts.filter { $0.value > 1 }
    #expect(twice.isEmpty, "\(twice)", sourceLocation: sourceLocation)
    #expect(
      holdings.conflicts.isEmpty, "\(holdings.conflicts)", sourceLocation: sourceLocation)
  }
  private static let restSeconds = 6.0

  private func lastWords() -> String {
    let agents = agents.withLock { $0 }.map {
      $0.errors.split(separator: "\n").suffix(15).joined(separator: "\n")
    }
    return ([wharfds.said()] + agents).joined(separator: "\n")
  }

  func end() async throws {
    for agent in agents.withLock({ $0 }) {
      agent.send(SIGKILL)
      try await agent.waitForExit()
    }
  }
}

@Suite(.serialized, .turn, .bounded) struct ReconcilerKillLoopTests {
  /// A wharfd that is killed may have been anywhere between a plan and the reply to an agent.
  private static let longestLifeMilliseconds = 1_500

  /// Kills whoever leads, and starts it anew, again and again.
  private func killing(_ wharfds: Wharfds, _ kills: Kills) async throws {
    while !kills.isOver.withLock({ $0 }) {
      let leader = try await wharfds.leading()
      try await Task.sleep(
        for: .milliseconds(Int.random(in: 0...Self.longestLifeMilliseconds)) * Pace.stretch)
      try await wharfds.kill9(leader)
      try wharfds.start(leader)
      kills.count.withLock { $0 += 1 }
    }
  }

  private final class Kills: Sendable {
    let count = Mutex(0)
    let isOver = Mutex(false)
  }

  @Test func `wharfd killed at any moment, engines are started once, and all that is wanted runs`()
    async throws
  {
    let wharfds = try await Wharfds()
    let fleet = try Fleet(wharfds)
    try await fleet.begin()
    let kills = Kills()
    let steps = try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await killing(wharfds, kills) }
      let end = ContinuousClock.now + .seconds(loopSeconds ?? usualLoopSeconds)
      var steps = 0
      // As long as that takes, a slow machine sees enough of it, too.
      while ContinuousClock.now < end || steps <= 5 || kills.count.withLock({ $0 }) <= 2 {
        steps += 1
        try await fleet.change(steps)
      }
      // Not cancelled: who was killed is to be started.
      kills.isOver.withLock { $0 = true }
      try await group.waitForAll()
      return steps
    }
    for number in 0..<Wharfds.count { try await wharfds.ready(number) }
    let said = "\(steps) changes, \(kills.count.withLock { $0 }) kills"
    #expect(steps > 5 && kills.count.withLock { $0 } > 2, "\(said)")
    try await fleet.expectWanted()
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    try await wharfds.expectViewsAreTheFold()
    try await fleet.empty()
    try await fleet.expectWanted()
    #expect(fleet.engines.isEmpty)
    let starts = try fleet.holdings().starts.count
    #expect(starts > 5, "\(said), \(starts) starts")
    try await fleet.end()
    await wharfds.remove()
    if loopSeconds != nil { print("\(said), \(starts) engines started") }
  }
}
