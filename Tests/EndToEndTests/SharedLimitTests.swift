// A team's limit over two gateways: real programs, asked as fast as they answer.

import AsyncHTTPClient
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import TestKit
import Testing

@Suite(.serialized, .bounded) struct SharedLimitTests {
  private static let limit = 20
  private static let second = "wharf-gateway 2"

  /// One of several gateways.
  private struct Gateway: HasGateway {
    let site: Site
    let gatewayPort: Int
    func lastWords() -> String { site.lastWords() }
    func health() async throws -> Int {
      let request = HTTPClientRequest(url: "http://127.0.0.1:\(gatewayPort)/health")
      return Int(try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status.code)
    }
  }

  private func passed(_ asker: Asker, lastSeconds: Double) -> Int {
    let since = Date().addingTimeInterval(-lastSeconds)
    return asker.all.count { $0.isAnswered && $0.sentAt > since }
  }

  /// No 60 s hold more answers than the limit: each was let through after it was sent, and before it was
  /// answered.
  private func expectWithinLimit(_ askers: Asker...) {
    let answered = askers.flatMap(\.all).filter(\.isAnswered)
    let sent = answered.map(\.sentAt).sorted()
    for first in sent {
      let end = first.addingTimeInterval(60)
      let certain = answered.count { $0.sentAt >= first && $0.answeredAt <= end }
      #expect(certain <= Self.limit, "from \(first)")
    }
  }

  private func limits(_ site: Site) async throws -> [String: Any] {
    let item = try await site.fields("team", "show", "copilot")["item"] as? [String: Any]
    let limits = try #require(item?["limits"] as? [[String: Any]])
    #expect(limits.count == 1)
    return try #require(limits.first)
  }

  @Test(.database)
  func `two gateways let no more through than the limit, and one nearly all of it`()
    async throws
  {
    let site = try Site()
    try await site.startDaemon(on: .current)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 1)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let other = Gateway(site: site, gatewayPort: site.gatewayPort + 7_000)
    try await site.startGateway(as: Self.second, port: other.gatewayPort)
    try await eventually("the other has its part") { (try? await other.health()) == 200 }
    try await site.done("team", "quota", "copilot", "--requests-per-minute", "\(Self.limit)")
    #expect(try await limits(site)["perMinute"] as? Int == Self.limit)

    // One is asked alone: the other gives back what it does not need.
    let alone = Asker(site, key, "xai/grok-3")
    try await eventually("nearly all of it is let through at one", withinSeconds: 150) {
      passed(alone, lastSeconds: 61) >= Self.limit - 1
    }
    let refused = alone.all.compactMap { try? $0.answer.get() }.first { $0.status == 429 }
    #expect(refused?.body.contains("of the team 'copilot' over all gateways together") == true)
    try await eventually("what is left is told") {
      let told = try await limits(site)
      return (told["used"] as? Int ?? 0) >= Self.limit - 1 && (told["left"] as? Int ?? 9) <= 1
        && told["ageSeconds"] != nil
    }
    let shown = try await site.done("team", "show", "copilot")
    #expect(shown.contains("LIMITS") && shown.contains("s ago"), "\(shown)")
    let past = try await site.done("team", "show", "copilot", "--as-of", "\(site.position())")
    #expect(!past.contains("LIMITS"), "what gateways say is of now")

    // Both are asked.
    let both = Asker(other, key, "xai/grok-3")
    try await eventually("each lets its half through", withinSeconds: 240) {
      passed(alone, lastSeconds: 61) <= Self.limit / 2 + 1
        && passed(both, lastSeconds: 61) >= Self.limit / 2 - 1
    }
    expectWithinLimit(alone, both)

    // The leader dies. The next knows of no part, and gives out nothing that somebody may hold.
    let died = Date()
    try await site.stop("wharfd", by: SIGKILL)
    try await site.startDaemon(on: .current)
    try await eventually("both let their halves through a minute later", withinSeconds: 240) {
      Date().timeIntervalSince(died) > 62
        && passed(alone, lastSeconds: 61) + passed(both, lastSeconds: 61) >= Self.limit - 2
    }
    try await eventually("the next leader tells of them") {
      try await limits(site)["used"] as? Int ?? 0 >= Self.limit - 2
    }
    expectWithinLimit(alone, both)

    // One is killed: its part comes back when its lease is over.
    try await site.stop(Self.second, by: SIGKILL)
    both.end()
    let begun = Date()
    try await eventually("all of it is let through at the one that is left", withinSeconds: 240) {
      passed(alone, lastSeconds: 61) == Self.limit
    }
    #expect(Date().timeIntervalSince(begun) > 50, "the other might have served on for its lease")
    expectWithinLimit(alone, both)
    alone.end()
    try await site.end()
  }
}
