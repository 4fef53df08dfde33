// A node that falls silent: it is lost, its replica is served elsewhere, its devices stay charged until
// its agent is back and says that they are free. With the limits of silence made short.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct SilentNodeTests {
  /// The lease and what makes a suspect stand in proportion: four tenths each.
  private static let nodeLostSeconds = Site.nodeLostSeconds

  @Test func `a silent node is lost, served from elsewhere, and charged until its agent is back`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(
      on: database, with: ["--node-lost-seconds", "\(Self.nodeLostSeconds)"])
    for number in 1...2 { try await site.startAgent(number) }
    try await eventually("both nodes joined") {
      try await (site.fields("node", "list")["items"] as? [Any])?.count == 2
    }
    try await site.deploy(replicas: 1)
    let before = try #require(try await site.replicas().first)
    let home = try #require(before["node"] as? String)
    let number = home == "node-1" ? 1 : 2
    let engine = try #require(site.engines.first)
    let ready = try #require(try await site.fields("replica", "list")["position"] as? Int)

    // Stopped, not killed: it may go on at any moment, so its silence proves nothing.
    let stopped = ContinuousClock.now
    site.send(SIGSTOP, to: Site.agent(number))
    let lost = try await eventually("the node is lost") {
      try await site.events("nodeLost").first
    }
    let silent = ((lost["data"] as? [String: Any])?["silentSeconds"] as? Int) ?? 0
    // Heard last before it was stopped, a few seconds at most.
    let most = Int((ContinuousClock.now - stopped) / .seconds(1)) + 5
    #expect(silent >= Self.nodeLostSeconds && silent <= most, "\(lost)")
    let then = try await site.done("why", "deployment", "grok", "--as-of", "\(ready)")
    #expect(then.contains("it is ready"), "silence of today is none of back then: \(then)")
    try await eventually("its replica is served from the other node") {
      let now = try #require(try await site.replicas().first)
      return now["phase"] as? String == "ready" && now["node"] as? String != home
    }
    #expect(site.engines.contains(engine), "an ordinary replica serves on through any silence")
    let charged = try await site.node(home)
    #expect(charged["status"] as? String == "lost")
    #expect(charged["freeDevices"] as? Int == 3, "silence is no proof: \(charged)")
    #expect(charged["attempts"] as? Int == 1)
    // Nothing new goes there meanwhile: four devices of the other node, and no fifth.
    try await site.done("deployment", "scale", "grok", "--replicas", "5")
    try await eventually("the fifth waits for devices") {
      let why = try await site.done("why", "deployment", "grok")
      return why.contains("4 of 5") && why.contains("lost")
    }
    #expect(try await site.node(home)["freeDevices"] as? Int == 3)

    site.send(SIGCONT, to: Site.agent(number))
    try await eventually("its agent lets go of what was moved") {
      let status = try await site.node(home)["status"] as? String
      return !site.engines.contains(engine) && status == "active"
    }
    try await eventually("its devices are free for the fifth") {
      try await site.done("why", "deployment", "grok").contains("all 5 replicas are ready")
    }
    #expect(try await site.events("nodeReturned").count == 1)
    #expect(try await site.node(home)["freeDevices"] as? Int == 3)

    let holdings = try site.holdings(nodes: 1...2)
    #expect(holdings.starts.count == 6, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    try await site.end()
  }
}
