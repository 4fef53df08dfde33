// How wharfd stops: at once when nothing is under way, and in bounded time whatever clients do.

import Foundation
import Glibc
import Postgres
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct StopTests {
  /// More than the buffers of a connection hold.
  private static let manyEvents = 60_000

  private static let cut = "requests that had not ended"

  @Test func `who reads no more, and who sends no more, do not hold up a stop`() async throws {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.stop("wharfd")
    var connection = try database.connect()
    try connection.script(ChainSQL.grow(by: Self.manyEvents))
    try await site.startDaemon(on: database, with: ["--drain-seconds", "1"])
    let token = try #require(site.folder.text("token")).trimmingCharacters(in: .newlines)

    let reader = try SilentClient(port: site.apiPort)
    try reader.send(
      "GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
    try await eventually("the stream has begun") { reader.hasSomething }
    let writer = try SilentClient(port: site.apiPort)
    try writer.send(
      "POST /v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
        + "Content-Length: 100\r\n\r\n{")
    // Its request is there once another one, sent later, was answered.
    try await site.done("status")

    let (status, said) = try await site.stopped("wharfd")
    #expect(status == .code(0) && said.contains(Self.cut), "\(status) \(said)")
    try await site.startDaemon(on: database)
    try await site.done("provider", "register", "xai")
    try await site.end()
    withExtendedLifetime((reader, writer)) {}
  }

  @Test func `agents and gateways that wait for news do not hold up a stop`() async throws {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 1)
    let (status, said) = try await site.stopped("wharfd")
    #expect(status == .code(0) && !said.contains(Self.cut), "\(status) \(said)")
    try await site.startDaemon(on: database)
    try await site.done("deployment", "scale", "grok", "--replicas", "2", "--wait")
    try await site.end()
  }

  @Test func `a terminal that is gone stops each program as a word would, and engines go on`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 1)
    let attempt = "\(try #require(try await site.replicas().first?["attempt"]))"
    for program in ["wharf-gateway", "wharf-agent", "wharfd"] {
      let (status, said) = try await site.stopped(program, by: SIGHUP)
      #expect(status == .code(0), "\(program): \(status) \(said)")
    }
    let left = try await site.run("wharf-agent", ["status", "--data", site.agentFolder(1)])
    #expect(left.output.contains("control plane: heard\n"), "its own stop is no trouble: \(left)")
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.done("deployment", "scale", "grok", "--replicas", "2", "--wait")
    let attempts = try await site.replicas().map { "\($0["attempt"] ?? "")" }
    #expect(attempts.contains(attempt), "\(attempts)")
    try await site.end()
  }

  @Test func `an engine that ends at SIGTERM is told to stop once what it was asked is answered`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    // Some commands are done, and some looks taken, before it answers.
    let milliseconds = Int(max(6, try await 12 * site.commandSeconds()) * 1_000)
    try await site.deploy(
      replicas: 1,
      arguments: ["--time-to-first-token", "\(milliseconds)ms", "--stop-grace", "0s"])
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    async let answer = site.ask(key, "xai/grok-3")
    try await eventually("it is asked") { try await site.metric("wharf_gateway_in_flight") == 1 }
    try await site.done("deployment", "scale", "grok", "--replicas", "0")
    let stopping = try await site.done("replica", "list")
    let (status, body) = try await (answer.status, answer.body)
    #expect(status == 200, "\(body) \(stopping)")
    // And then at once, not when its time is over.
    try await eventually("it is told to stop") { site.engines.isEmpty }
    try await site.end()
  }
}
