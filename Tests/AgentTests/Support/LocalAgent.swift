// An agent inside the test's own process, with real holders and engines.

import AsyncHTTPClient
import Hosting
import Logging
import Machine
import Synchronization
import TestTools
import Testing
import Wire

@testable import Agent

struct LocalAgent {
  let agent: NodeAgent
  let folder: DataFolder
  /// What it said, which shows also what was over before it could be told.
  let lines: AgentLines

  /// Runs an agent during `test`; engines that it leaves are the test's to end.
  static func use(
    _ space: Workspace, _ server: StandInServer, ports: ClosedRange<Int> = Workspace.ports(),
    devices: Int = 4, settleMilliseconds: Int64 = 200,
    data: String? = nil,
    _ test: @escaping @Sendable (LocalAgent) async throws -> Void
  ) async throws {
    var log = Logger(label: "agent")
    log.logLevel = .critical
    let quiet = log
    let lines = AgentLines()
    let folder = try DataFolder(data ?? space.data)
    let lock = try DataLock(folder)
    defer { withExtendedLifetime(lock) {} }
    let facts = NodeFacts(
      address: "127.0.0.1", cpuMillis: 4000, memory: Bytes(count: 64 << 30),
      devices: simulatedDevices(devices))
    try await AgentProgram.withClient { client in
      let joining = Joining(
        folder: folder, client: client, servers: [server.url], name: name("node-1"), log: quiet)
      let membership = try await joining.membership(facts: facts) { "join-token-1" }
      let boot = try ProcessTable.bootID()
      let host = try ProcessHost(
        holderProgram: builtProgram("wharf-holder"), bootID: boot,
        data: folder.path,
        log: quiet)
      let agent = NodeAgent(
        NodeAgent.Configuration(
          node: membership.node, address: "127.0.0.1", ports: ports, bootID: boot,
          incarnation: "\(UInt64.random(in: .min ... .max))", base: MachineFacts.base,
          settleMilliseconds: settleMilliseconds),
        facts: facts, folder: folder,
        host: host,
        client: client, log: lines.logger)
      try await agent.adopt()
      let link = ControlLink(
        client: client, servers: [server.url], bearer: try folder.credential().secret)
      let running = Task { _ = await agent.run(link) }
      do {
        try await test(LocalAgent(agent: agent, folder: folder, lines: lines))
      } catch {
        print("last observation: \(await agent.observation().attempts)")
        running.cancel()
        await running.value
        throw error
      }
      running.cancel()
      await running.value
    }
  }
}

extension StandIn {
  /// Waits for an attempt to be reported in a phase.
  nonisolated func see(
    _ phase: AttemptPhase, of id: String, withinSeconds seconds: Double = Pace.patienceSeconds
  ) async throws -> ObservedAttempt {
    try await eventually("\(id) is \(phase)", withinSeconds: seconds) {
      await attempt(id, in: phase)
    }
  }

  /// Ends everything, as a control plane would.
  nonisolated func clear(_ generation: Int64) async throws {
    await assign(generation, [])
    // What was last told before that may have been as empty, of something that had not begun.
    try await eventually("nothing is left") {
      guard let last = await last else { return false }
      return last.generation == Position(generation) && last.attempts == []
    }
  }
}

/// Keeps what an agent says, without what it says it of.
final class AgentLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }

  var logger: Logger {
    Logger(label: "agent") { _ in Handler(lines: self) }
  }

  private struct Handler: LogHandler {
    let lines: AgentLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.lines.withLock { $0.append("\(event.message)") } }
  }
}
