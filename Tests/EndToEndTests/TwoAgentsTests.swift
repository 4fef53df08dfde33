// Two agents with one identity: the second is refused, and starts nothing. An agent that lost its disk:
// what it ran before is reported, ended, and nothing is started beside it.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct TwoAgentsTests {
  /// The lease, after whose end a silent agent may be followed by one that knows nothing, is four tenths.
  private static let nodeLostSeconds = Site.nodeLostSeconds

  /// Long enough for an agent that does not wait to start another on the same device.
  private static let slowStop = ["--slow-stop-seconds=2"]

  private func site() async throws -> Site {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(
      on: database, with: ["--node-lost-seconds", "\(Self.nodeLostSeconds)"])
    try await site.startAgent()
    return site
  }

  /// What says who a node is, as a cloned disk would.
  private func copyIdentity(_ site: Site, from node: Int, to other: Int) throws {
    try FileManager.default.createDirectory(
      atPath: site.agentFolder(other), withIntermediateDirectories: true)
    for name in ["credential", "node.json", "seen.json"] {
      try FileManager.default.copyItem(
        atPath: "\(site.agentFolder(node))/\(name)", toPath: "\(site.agentFolder(other))/\(name)")
    }
  }

  @Test func `a second agent of one identity is refused and starts nothing`() async throws {
    let site = try await site()
    try await site.deploy(replicas: 2)
    let engines = site.engines
    try copyIdentity(site, from: 1, to: 2)
    try await site.expectRest()
    let before = try await site.position()
    try await site.startAgent(2, name: "node-1")
    try await eventually("it is refused") {
      site.said(Site.agent(2)).contains(
        "another agent with the identity of node node-1 is alive")
    }
    // For longer than any lease: the first one lives all along.
    let asked = ContinuousClock.now
    try await eventually("it had its time", withinSeconds: 600) {
      try #require(site.engines == engines, "\(site.lastWords())")
      return ContinuousClock.now - asked > .seconds(Self.nodeLostSeconds + 3)
    }
    #expect(try await site.position() == before, "nothing became a fact")
    try await site.done("deployment", "scale", "grok", "--replicas", "3", "--wait")
    #expect(site.engines.count == 3 && Set(engines).isSubset(of: site.engines))
    let holdings = try site.holdings(nodes: 1...2)
    #expect(holdings.holdings.allSatisfy { $0.node == "node-1" }, "\(holdings.holdings)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")

    // A whole copy, with the ledger, takes over: then the first one is the second.
    try await site.stop(Site.agent(2))
    try FileManager.default.removeItem(atPath: site.agentFolder(2))
    try FileManager.default.copyItem(atPath: site.agentFolder(1), toPath: site.agentFolder(2))
    try await site.startAgent(2, name: "node-1")
    try await eventually("one of them is refused") {
      site.said(Site.agent(1)).contains("another agent with the identity of node node-1 is alive")
    }
    try await site.expectRest()
    #expect(site.engines.count == 3)
    try await site.end()
  }

  /// The two engines are ended, and only then two others run: no device is ever held twice.
  private func expectReplaced(_ engines: [Int32], at site: Site) async throws {
    try await eventually("the old ones are ended, and others run") {
      let now = site.engines
      return now.count == 2 && Set(now).isDisjoint(with: engines)
    }
    try await eventually("all are ready") {
      try await site.done("why", "deployment", "grok").contains("all 2 replicas are ready")
    }
    let holdings = try site.holdings()
    #expect(holdings.starts.count == 4, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
  }

  @Test func `with its disk wiped, what an agent ran is reported, ended, and only then followed`()
    async throws
  {
    let site = try await site()
    try await site.deploy(replicas: 2, arguments: Self.slowStop)
    let engines = site.engines
    #expect(engines.count == 2)
    try await site.stop(Site.agent(1), by: SIGKILL)
    // All but what says who it is, and the engines' own log, which is the oracle.
    for name in try FileManager.default.contentsOfDirectory(atPath: site.agentFolder(1))
    where !["credential", "node.json", Site.engineLog].contains(name) {
      try FileManager.default.removeItem(atPath: "\(site.agentFolder(1))/\(name)")
    }
    try await site.startAgent()
    try await eventually("it finds engines that it has no record of") {
      site.said(Site.agent(1)).contains("an engine runs that this agent has no record of")
    }
    try await expectReplaced(engines, at: site)
    try await site.expectRest()
    try await site.end()
  }

  @Test func `joined anew on a wiped disk, the old node's engines are ended before any is started`()
    async throws
  {
    let site = try await site()
    try await site.deploy(replicas: 2, arguments: Self.slowStop)
    let engines = site.engines
    try await site.stop(Site.agent(1), by: SIGKILL)
    for name in try FileManager.default.contentsOfDirectory(atPath: site.agentFolder(1))
    where name != Site.engineLog {
      try FileManager.default.removeItem(atPath: "\(site.agentFolder(1))/\(name)")
    }
    // The engines' own log, which is the oracle, makes it no agent's folder; this does.
    try FileManager.default.createDirectory(
      atPath: "\(site.agentFolder(1))/ended", withIntermediateDirectories: false)
    // Its name is taken by what it was.
    try await site.startAgent()
    try await eventually("it is told what to do") {
      site.said(Site.agent(1)).contains("wharf node remove node-1")
    }
    try await site.stop(Site.agent(1))
    #expect(site.engines == engines, "nobody who does not belong to the system ends anything")
    // A person's word that is not true: the engines live.
    try await site.done("node", "remove", "node-1", "--powered-off")
    try await site.startAgent()
    try await expectReplaced(engines, at: site)
    try await site.end()
  }
}
