// A peer that stops in the middle of its answer holds nobody up for longer than one that is silent.

import AsyncHTTPClient
import Hosting
import Testing
import Wire

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct `Peers that stop within an answer` {
  private func stalled(_ test: (HTTPClient, StallingServer) async throws -> Void) async throws {
    let server = StallingServer()
    defer { server.stop() }
    try await test(.shared, server)
  }

  @Test func `a control plane is unreachable, in time`() async throws {
    try await stalled { client, server in
      let link = ControlLink(
        client: client, servers: [server.url], bearer: "b", replySeconds: 1)
      let start = ContinuousClock.now
      let problem = await #expect(throws: ControlLink.Problem.self) {
        try await link.assignment(after: .empty, waitSeconds: 0)
      }
      #expect(problem?.kind == .unreachable)
      #expect(problem?.description.hasSuffix("no whole answer within 1000 ms") == true)
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test func `an engine has not answered, in time`() async throws {
    try await stalled { client, server in
      let start = ContinuousClock.now
      let attempt = assigned("31.1.40", launch: launch())
      #expect(await !Prober(client: client).answers(attempt, at: server.url, fully: false))
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test func `who is cancelled does not wait for the deadline`() async throws {
    let start = ContinuousClock.now
    let waiting = Task {
      try await within(milliseconds: 60_000) { try await Task.sleep(for: .seconds(60)) }
    }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(try await within(milliseconds: 60_000) { 7 } == 7)
  }
}
