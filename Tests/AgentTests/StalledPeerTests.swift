// A peer that stops in the middle of its answer holds nobody up for longer than one that is silent.

import AsyncHTTPClient
import Hosting
import Logging
import TestTools
import Testing
import Time
import Wire

@testable import Agent

@Suite(.bounded) struct `Peers that stop within an answer` {
  private func stalled(_ test: (HTTPClient, StallingServer) async throws -> Void) async throws {
    let server = StallingServer()
    defer { server.stop() }
    try await test(.shared, server)
  }

  @Test func `a control plane is late, and that is told in time`() async throws {
    try await stalled { client, server in
      let link = ControlLink(
        client: client, servers: [server.url], bearer: "b", replySeconds: 1)
      let watch = Stopwatch()
      let problem = await #expect(throws: ControlLink.Problem.self) {
        try await link.assignment(after: .empty, waitSeconds: 0)
      }
      #expect(problem?.kind == .late)
      #expect(problem?.description.hasSuffix("no whole answer within 1000 ms") == true)
      #expect(watch.seconds < 20)
    }
  }

  @Test func `a poll that hangs at one control plane is given up once another one answers`()
    async throws
  {
    let stalled = StallingServer()
    defer { stalled.stop() }
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let folder = try DataFolder(space.data)
        try await AgentProgram.withClient { client in
          let facts = NodeFacts(
            address: "127.0.0.1", cpuMillis: 1_000, memory: Bytes(count: 1 << 30), devices: [])
          var log = Logger(label: "agent")
          log.logLevel = .critical
          _ = try await Joining(
            folder: folder, client: client, servers: [server.url], name: name("node-1"), log: log
          ).membership(facts: facts) { "join-token-1" }
          let link = ControlLink(
            client: client, servers: [stalled.url, server.url],
            bearer: try folder.credential().secret, replySeconds: 1)
          // It would hang for an hour.
          let poll = Task { try await link.assignment(after: .empty, waitSeconds: 3_600) }
          try await eventually("it polls") { stalled.count == 1 }
          let beat = Heartbeat(bootID: "b", incarnation: "i", sequence: 0, digest: digest(1))
          let late = await #expect(throws: ControlLink.Problem.self) {
            try await link.heartbeat(beat)
          }
          #expect(late?.kind == .late)
          // One that is late here, too, goes to the stalled one again, and then back.
          try await eventually("the other one answers") {
            (try? await link.heartbeat(beat)) != nil
          }
          await #expect(throws: ControlLink.Problem.self) { try await poll.value }
        }
      }
    }
  }

  @Test func `an engine has not answered, in time`() async throws {
    try await stalled { client, server in
      let watch = Stopwatch()
      let attempt = assigned("31.1.40", launch: launch())
      #expect(await !Prober(client: client).answers(attempt, at: server.url, fully: false))
      #expect(watch.seconds < 20)
    }
  }

  @Test func `who is cancelled does not wait for the deadline`() async throws {
    let watch = Stopwatch()
    let waiting = Task {
      try await within(milliseconds: 60_000, by: .system) {
        try await Task.sleep(for: .seconds(60))
      }
    }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(watch.seconds < 20)
    #expect(try await within(milliseconds: 60_000, by: .system) { 7 } == 7)
  }
}
