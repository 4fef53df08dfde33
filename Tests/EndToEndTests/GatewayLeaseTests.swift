// What a revocation may be told of gateways that are stopped, killed, removed or cut off; and that they
// serve on while the control plane cannot be asked. Real programs, of which one is not heard.

import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import TestKit
import TestTools
import Testing

@Suite(.serialized, .bounded) struct GatewayLeaseTests {
  /// Far less than a lease.
  private static let soon = "\(Int(20 * min(Pace.stretch, 2)))"

  /// A system with two ready replicas, and a key for them.
  private func site(_ database: TestDatabase) async throws -> (site: Site, key: String) {
    let site = try Site()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    return (site, key)
  }

  private func gateway(_ site: Site) async throws -> [[String: Any]] {
    let item = try await site.fields("gateway", "show", "edge")["item"] as? [String: Any]
    return try #require(item?["processes"] as? [[String: Any]])
  }

  @Test(.database) func `scaling down and deleting under load fails no request`() async throws {
    let (site, key) = try await site(.current)
    try await site.done(
      "deployment", "create", "other", "--model", "xai/grok-3:1", "--replicas", "1", "--wait")
    let asker = Asker(site, key, "xai/grok-3")
    try await asker.goesOn()
    try await site.done("deployment", "scale", "grok", "--replicas", "1")
    try await eventually("it is gone", withinSeconds: 60) { site.engines.count == 2 }
    try await asker.goesOn()
    try await site.done("deployment", "delete", "grok")
    try await eventually("all of it is gone", withinSeconds: 60) { site.engines.count == 1 }
    try await asker.goesOn()
    asker.expectNoFailure()
    let dismissed = try await site.events("attemptsDismissed")
    #expect(dismissed.count == 2)
    #expect(dismissed.allSatisfy { ($0["data"] as? [String: Any])?["enforced"] != nil })
    asker.end()
    try await site.end()
  }

  @Test(.database) func `two processes with one credential are waited for both`() async throws {
    let (site, key) = try await site(.current)
    // There is nothing to wait for, and so it says at once.
    let mark = try await site.wharf(["key", "issue", "copilot", "--name", "other", "-q"])
    #expect(mark.status == .code(0))
    let second = "wharf-gateway 2"
    try await site.startGateway(as: second, port: site.gatewayPort + 7_000)
    try await eventually("both are known") { try await gateway(site).count == 2 }
    site.send(SIGSTOP, to: second)
    let early = try await site.wharf(
      ["team", "revoke", "copilot", "xai/grok-3", "--wait", "--timeout", "5"])
    #expect(early.status == .code(4), "\(early)")
    #expect(early.errors.contains("\(site.gatewayPort + 7_000)") && early.errors.contains("until"))
    try await site.told(403, key, "xai/grok-3")
    // Killed, and started in its place: it knows that the one before it is gone. The first holds the lock,
    // so a person vouches, by the words that the wait gave, and only for the one that is meant.
    try await site.stop(second, by: SIGKILL)
    let both = try await site.wharf(["gateway", "powered-off", "edge"])
    #expect(both.status == .code(1) && both.errors.contains("which is meant is not said"))
    let advised = try #require(
      early.errors.firstMatch(of: /wharf (gateway powered-off edge --process [0-9a-f]+)/),
      "\(early)")
    let vouched = try await site.wharf(advised.1.split(separator: " ").map(String.init))
    #expect(vouched.status == .code(0), "\(vouched)")
    try await eventually("the one that lives goes on") { try await gateway(site).count == 1 }
    let shown = try await site.wharf(["gateway", "show", "edge"])
    #expect(shown.output.contains(":\(site.gatewayPort)"), "\(shown)")
    try await eventually("it enforces all that is, and so it is told at once") {
      let again = try await site.wharf(
        ["team", "revoke", "copilot", "xai/grok-3", "--wait", "--timeout", Self.soon])
      return again.status == .code(0) && again.output.contains("enforced on 1 of 1")
    }
    try await site.end()
  }

  @Test(.database)
  func `one that was killed and started anew, left, or was removed is not waited for`()
    async throws
  {
    let (site, key) = try await site(.current)
    try await site.stop("wharf-gateway", by: SIGKILL)
    try await site.startGateway()
    try await site.answered(key, "xai/grok-3")
    #expect(try await gateway(site).count == 1, "it knows that the one before it is gone")
    try await site.done("key", "issue", "copilot", "--name", "other", "-q")
    let revoked = try await site.done(
      "key", "revoke", "copilot", "--name", "other", "--wait", "--timeout", Self.soon)
    #expect(revoked.contains("enforced on 1 of 1"))
    try await site.stop("wharf-gateway")
    #expect(try await gateway(site).isEmpty, "it left")
    try await site.startGateway()
    try await site.answered(key, "xai/grok-3")
    try await site.done("gateway", "remove", "edge")
    try await site.told(503, key, "xai/grok-3")
    let gone = try await site.done(
      "team", "revoke", "copilot", "xai/grok-3", "--wait", "--timeout", Self.soon)
    #expect(gone.contains("no gateway serves"))
    try await site.end()
  }

  private func header(_ site: Site, _ key: String) async throws -> (status: Int, grace: Int?) {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(site.gatewayPort)/v1/models")
    request.headers.add(name: "authorization", value: "Bearer \(key)")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    return (
      Int(response.status.code),
      response.headers.first(name: "x-wharf-grace-seconds").flatMap { Int($0) }
    )
  }

  @Test func `while the database is away it serves on, with grace zero for its lease only`()
    async throws
  {
    let cluster = try await TestCluster.dedicated()
    let database = try await cluster.makeDatabase()
    let (site, key) = try await site(database)
    try await cluster.stop(.immediate)
    try await eventually("its lease is over", withinSeconds: 100) {
      try await header(site, key).grace != nil
    }
    let served = try await header(site, key)
    #expect(served.status == 200 && (600...900).contains(served.grace ?? 0), "\(served)")
    #expect(try await site.ask(key, "xai/grok-3").status == 200)
    try await cluster.start()
    try await eventually("it has a lease again", withinSeconds: 60) {
      let answer = try await header(site, key)
      return answer.status == 200 && answer.grace == nil
    }
    try await site.done("gateway", "set-grace", "--minutes", "0")
    #expect(try await site.done("status").contains("for 0s after a lease"))
    try await eventually("it goes by that") { try await gateway(site).count == 1 }
    try await site.done("team", "register", "late", "--audience", "internal")
    try await site.done("team", "grant", "late", "xai/grok-3")
    try await site.done("key", "issue", "late", "--name", "k", "-q")
    try await site.done("team", "revoke", "late", "xai/grok-3", "--wait")
    try await cluster.stop(.immediate)
    try await site.told(503, saying: "no_policy_lease", key, "xai/grok-3", withinSeconds: 100)
    #expect(site.engines.count == 2, "every engine serves on")
    try await site.end()
    await cluster.remove()
  }
}
