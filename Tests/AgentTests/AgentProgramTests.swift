// The agent as a real program, with real holders and simulated engines, against a stand-in control
// plane: what outlives it, what it takes over, what it ends.

import AsyncHTTPClient
import Glibc
import Hosting
import Machine
import NIOCore
import NIOHTTP1
import TestTools
import Testing
import Wire

@testable import Agent

/// Reports of an attempt are waited for at most this long.
private func phase(
  _ phase: AttemptPhase, of id: String, at standIn: StandIn,
  withinSeconds seconds: Double = Pace.patienceSeconds
) async throws -> ObservedAttempt {
  try await eventually("\(id) is \(phase)", withinSeconds: seconds) {
    await standIn.attempt(id, in: phase)
  }
}

/// What the engine itself wrote down.
private func engineLog(_ path: String) -> [String] {
  String(decoding: Files.tail(path, bytes: 1 << 20), as: UTF8.self)
    .split(separator: "\n").map(String.init)
}

private func starts(_ path: String) -> Int {
  engineLog(path).count { $0.contains("\"event\":\"start\"") }
}

@Suite(.serialized, .turn, .bounded) struct `The agent program` {
  @Test func `starts what is assigned, says when it is ready, stops what is not`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let agent = try AgentProcess.start(space, server: server.url, ports: Workspace.ports())
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        let ready = try await phase(.ready, of: "31.1.40", at: server.standIn)
        let pid = try #require(ready.pid)
        let endpoint = try #require(ready.endpoint)
        #expect(ProcessTable.variable("WHARF_ATTEMPT", of: Int32(pid)) == "31.1.40")
        #expect(ProcessTable.variable("LEAKED", of: Int32(pid)) == nil)
        #expect(try await ask(endpoint, key: "engine-key-of-31.1.40") == 200)
        #expect(try await ask(endpoint, key: "another") == 401)

        await server.standIn.assign(41, [])
        let ended = try await phase(.ended, of: "31.1.40", at: server.standIn)
        #expect(ended.cause == .notAssigned && ended.ordered == .notAssigned)
        #expect(space.processes().isEmpty)
        try await eventually("the entry is forgotten") { await server.standIn.last?.attempts == [] }
        #expect(try Files.list(space.data + "/attempts") == [])
        #expect(try Files.list(space.data + "/ended") == ["31.1.40"])
        let phases = await server.standIn.phases(of: "31.1.40")
        #expect(phases.first == .starting)
        #expect(phases.last == .ended)
        try await agent.terminate()
      }
    }
  }

  @Test func `killed, its engine serves on under the same pid, and the next one takes it over`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(
          40, [assigned("31.1.40", launch: simLaunch(engineLog: log))])
        let before = try await phase(.ready, of: "31.1.40", at: server.standIn)
        let incarnation = await server.standIn.last?.incarnation
        let endpoint = try #require(before.endpoint)

        let asking = Task { () -> Int in
          var failed = 0
          while !Task.isCancelled {
            let status = try? await ask(endpoint, key: "engine-key-of-31.1.40")
            if status != 200, !Task.isCancelled { failed += 1 }
          }
          return failed
        }
        try await first.kill()
        let second = try AgentProcess.start(space, server: server.url, ports: ports)
        let after: ObservedAttempt = try await eventually("the next agent reports") {
          guard let last = await server.standIn.last, last.incarnation != incarnation else {
            return nil
          }
          return last.attempts.first
        }
        #expect(after.phase == .ready, "it is not taken for loading by a new agent")
        #expect(after.pid == before.pid)
        #expect(after.endpoint == before.endpoint)
        asking.cancel()
        #expect(await asking.value == 0, "no request failed")
        #expect(starts(log) == 1)
        await server.standIn.assign(41, [])
        _ = try await phase(.ended, of: "31.1.40", at: server.standIn)
        try await second.terminate()
      }
    }
  }

  @Test func `an engine that was ready is taken over as ready, though it cannot answer just now`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        let before = try await phase(.ready, of: "31.1.40", at: server.standIn)
        let incarnation = await server.standIn.last?.incarnation
        try await first.kill()
        let engine = try #require(
          ProcessIdentity(running: Int32(before.pid ?? 0)).flatMap(ProcessHandle.init))
        engine.signal(SIGSTOP)
        let second = try AgentProcess.start(space, server: server.url, ports: ports)
        try await eventually("the next agent reports") {
          await server.standIn.last?.incarnation != incarnation
        }
        engine.signal(SIGCONT)
        await server.standIn.assign(41, [])
        _ = try await phase(.ended, of: "31.1.40", at: server.standIn)
        let seen = await server.standIn.reports.filter { $0.incarnation != incarnation }
        #expect(seen.first?.attempts.first?.phase == .ready)
        try await second.terminate()
      }
    }
  }

  @Test func `told to end, it leaves its engines, and they are found again`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        let before = try await phase(.ready, of: "31.1.40", at: server.standIn)
        try await first.terminate()
        #expect(space.processes().contains { Int($0.identity.pid) == before.pid })
        try await stopEngines(space)
        #expect(space.processes().isEmpty)
        // Stopped while no agent ran: told once an agent is back, and never started again.
        let second = try AgentProcess.start(space, server: server.url, ports: ports)
        let ended = try await phase(.ended, of: "31.1.40", at: server.standIn)
        #expect(ended.cause == .nodeStopped)
        #expect(ended.ordered == .nodeStopped)
        try await second.terminate()
      }
    }
  }

  @Test func `an engine that died while no agent ran is one end, with its signal`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch(engineLog: log))])
        let before = try await phase(.ready, of: "31.1.40", at: server.standIn)
        try await first.kill()
        let pid = try #require(before.pid)
        let engine = try #require(ProcessIdentity(running: Int32(pid)).flatMap(ProcessHandle.init))
        engine.signal(SIGKILL)
        try await eventually("the holder is done") { space.processes().isEmpty }

        let second = try AgentProcess.start(space, server: server.url, ports: ports)
        let ended = try await phase(.ended, of: "31.1.40", at: server.standIn)
        #expect(ended.exitSignal == Int(SIGKILL))
        #expect(ended.exitCode == nil)
        // It stays assigned and stays ended.
        await server.standIn.askForReport()
        let reports = await server.standIn.reports.count
        try await eventually("it reports again") { await server.standIn.reports.count > reports }
        #expect(await server.standIn.attempt("31.1.40")?.phase == .ended)
        #expect(await server.standIn.phases(of: "31.1.40").count { $0 == .ended } == 1)
        #expect(starts(log) == 1)
        try await second.terminate()
      }
    }
  }

  @Test func `what was revoked while no agent ran is stopped on return and never started`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch(engineLog: log))])
        _ = try await phase(.ready, of: "31.1.40", at: server.standIn)
        try await first.kill()
        await server.standIn.assign(
          50, [assigned("32.1.50", launch: simLaunch(engineLog: log))])
        let second = try AgentProcess.start(space, server: server.url, ports: ports)
        _ = try await phase(.ready, of: "32.1.50", at: server.standIn)
        let lines = engineLog(log).filter { $0.contains("\"start\"") || $0.contains("\"stop\"") }
        #expect(lines.count == 3)
        #expect(lines[1].contains("\"stop\"") && lines[1].contains("31.1.40"), "let go first")
        #expect(lines[2].contains("\"start\"") && lines[2].contains("32.1.50"))
        await server.standIn.assign(51, [])
        _ = try await phase(.ended, of: "32.1.50", at: server.standIn)
        try await second.terminate()
      }
    }
  }

  @Test func `restarted without a control plane, it looks after what runs and starts nothing`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        let ports = Workspace.ports()
        let first = try AgentProcess.start(space, server: server.url, ports: ports)
        let waits = assigned("31.2.40", launch: simLaunch(engineLog: log))
        await server.standIn.assign(
          40, [assigned("31.1.40", launch: simLaunch(engineLog: log)), waits])
        _ = try await phase(.ready, of: "31.1.40", at: server.standIn)
        #expect(
          await server.standIn.attempt("31.2.40")?.cause == .awaitsDevice)
        try await first.kill()
        await server.standIn.set(.failing)
        let second = try AgentProcess.start(
          space, server: server.url, ports: ports, log: "agent-2.log")
        try await eventually("it has adopted") {
          String(decoding: Files.tail(space.path + "/agent-2.log", bytes: 1 << 16), as: UTF8.self)
            .contains("adopted")
        }
        // The device becomes free, and still nothing starts.
        let engine = try #require(space.processes().first { !Remains.isHolder($0) })
        ProcessHandle(engine.identity)?.signal(SIGKILL)
        try await eventually("the end is seen") {
          String(decoding: Files.tail(space.path + "/agent-2.log", bytes: 1 << 16), as: UTF8.self)
            .contains("ended")
        }
        #expect(starts(log) == 1)
        await server.standIn.set(.answering)
        _ = try await phase(.ready, of: "31.2.40", at: server.standIn)
        #expect(starts(log) == 2)
        await server.standIn.assign(41, [])
        _ = try await phase(.ended, of: "31.2.40", at: server.standIn)
        try await second.terminate()
      }
    }
  }

  @Test func `two agents never share a data folder`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let first = try AgentProcess.start(space, server: server.url, ports: Workspace.ports())
        try await eventually("it reports") { await server.standIn.last != nil }
        let second = try AgentProcess.start(
          space, server: server.url, ports: Workspace.ports(), log: "agent-2.log")
        #expect(try await second.wait() == 1)
        let said = String(
          decoding: Files.tail(space.path + "/agent-2.log", bytes: 4096), as: UTF8.self)
        #expect(said.contains("is in use by another agent (process \(first.pid))"))
        try await first.terminate()
      }
    }
  }

  @Test
  func `a node that was removed ends its engines, says so once, and ends with a code of its own`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports()
        let agent = try AgentProcess.start(space, server: server.url, ports: ports)
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        _ = try await phase(.ready, of: "31.1.40", at: server.standIn)
        await server.standIn.set(.removed)
        #expect(try await agent.wait() == AgentProgram.NodeRemoved.exitCode)
        #expect(space.processes().isEmpty, "its devices may be another's by now")
        let said = String(
          decoding: Files.tail(space.path + "/agent.log", bytes: 1 << 16), as: UTF8.self)
        #expect(
          said.split(separator: "\n").count { $0.contains("was removed from its system, so") } == 1)

        // The next one is a new node, with a secret and a token of its own.
        let before = await server.standIn.credential
        await server.standIn.set(.answering)
        let next = try AgentProcess.start(space, server: server.url, ports: ports)
        try await eventually("it joined again") { await server.standIn.joins.count == 2 }
        #expect(await server.standIn.credential != before)
        try await next.terminate()
      }
    }
  }

  @Test func `a node that is not known any more says so and serves on`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let agent = try AgentProcess.start(space, server: server.url, ports: Workspace.ports())
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        let ready = try await phase(.ready, of: "31.1.40", at: server.standIn)
        await server.standIn.set(.unauthorized)
        try await eventually("it says so") {
          String(decoding: Files.tail(space.path + "/agent.log", bytes: 1 << 16), as: UTF8.self)
            .contains("does not know this agent (401)")
        }
        #expect(space.processes().contains { Int($0.identity.pid) == ready.pid })
        await server.standIn.set(.answering)
        await server.standIn.assign(41, [])
        _ = try await phase(.ended, of: "31.1.40", at: server.standIn)
        try await agent.terminate()
      }
    }
  }
}

/// Sends one request for inference, for what it does to the engine.
func chat(_ endpoint: String, key: String) async throws {
  var request = HTTPClientRequest(url: endpoint + "/v1/chat/completions")
  request.method = .POST
  request.headers.add(name: "authorization", value: "Bearer \(key)")
  request.headers.add(name: "content-type", value: "application/json")
  request.body = .bytes(
    Array(#"{"model":"xai/grok-3","messages":[{"role":"user","content":"hello"}]}"#.utf8))
  _ = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
}

/// - Returns: the status of a request for the list of models.
func ask(_ endpoint: String, key: String) async throws -> Int {
  var request = HTTPClientRequest(url: endpoint + "/v1/models")
  request.headers.add(name: "authorization", value: "Bearer \(key)")
  let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
  _ = try await response.body.collect(upTo: 1 << 20)
  return Int(response.status.code)
}
