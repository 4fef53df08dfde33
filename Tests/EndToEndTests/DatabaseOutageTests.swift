// The database goes away under a running wharfd: for a moment, which is waited out, and for longer, which
// is told at once.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import Postgres
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct DatabaseOutageTests {
  /// What a person may be made to wait for it.
  private static let soonSeconds = 6.0
  /// A wharfd that has not reached the database for so long says so at once.
  private static let outOfTouchSeconds = 8

  private func status(_ site: Site, _ path: String) async throws -> UInt {
    let request = HTTPClientRequest(url: site.api + path)
    return try await HTTPClient.shared.execute(request, timeout: .seconds(60)).status.code
  }

  private func refused(_ site: Site, _ arguments: String...) async throws {
    let watch = Stopwatch()
    let ran = try await site.wharf(arguments)
    let took = watch.seconds
    #expect(ran.status == .code(3), "\(arguments): \(ran)")
    #expect(ran.errors.contains("the database is not reachable"), "\(arguments): \(ran)")
    #expect(took < Self.soonSeconds, "\(arguments) took \(took) s")
  }

  @Test func `a short outage is waited out, a longer one is told at once, and reads go on`()
    async throws
  {
    let site = try Site()
    let cluster = try await TestCluster.dedicated()
    let database = try await cluster.makeDatabase()
    try await site.startDaemon(on: database)
    try await site.done("team", "register", "copilot", "--audience", "internal")
    #expect(try await status(site, "/ready") == 200)

    // Whether an outage is short is for the machine to say: one that was not is tried again.
    try await eventually("a short outage was waited out") {
      try await eventually("wharfd is ready") { try await status(site, "/ready") == 200 }
      let lost = site.losses
      let start = ContinuousClock.now
      try await cluster.stop(.immediate)
      try await eventually("wharfd has lost it") { site.losses > lost }
      async let patient = site.wharf(["team", "register", "contoso", "--audience", "external"])
      try await cluster.start()
      let lasted = ContinuousClock.now - start
      let waited = try await patient
      if lasted > .seconds(Self.outOfTouchSeconds), waited.status == .code(3) { return false }
      try #require(waited.status == .code(0), "after \(lasted): \(waited)")
      return true
    }

    try await cluster.stop(.immediate)
    try await eventually("wharfd says that it is not ready") {
      try await status(site, "/ready") == 503
    }
    #expect(try await status(site, "/health") == 200, "it lives, and answers reads")
    try await refused(site, "team", "register", "fabrikam", "--audience", "internal")
    try await refused(site, "team", "list", "--as-of", "3")
    try await refused(site, "events")
    let teams = try await site.done("team", "list")
    #expect(teams.contains("contoso") && !teams.contains("fabrikam"))
    #expect(try await site.done("team", "show", "contoso").contains("external"))

    try await cluster.start()
    try await eventually("it is ready again, without a restart") {
      try await status(site, "/ready") == 200
    }
    try await site.done("team", "register", "fabrikam", "--audience", "internal")
    #expect(try await site.done("team", "list", "--as-of", "3").isEmpty == false)
    try await site.end()
    await cluster.remove()
  }

  /// Nodes are lost soon: an outage of tens of seconds is long to them.
  private static let nodeLostSeconds = Site.nodeLostSeconds
  /// Far less than a gateway's lease: what it does in the grace beyond that, and after it, is
  /// `GatewayLeaseTests`' to show.
  private static let outageSeconds = 20.0
  /// What all programs may write about it in that time; each says a trouble once.
  private static let mostLinesSaid = 100

  private func linesSaid(_ site: Site) -> Int {
    ["wharfd", "wharf-gateway", Site.agent(1)].reduce(0) { count, name in
      count + site.said(name).split(separator: "\n").count
    }
  }

  private func types(_ database: TestDatabase, after position: Int64) throws -> [String] {
    var connection = try database.connect()
    let rows = try connection.query(
      "SELECT type FROM log.events WHERE position > \(position) ORDER BY position")
    return try (0..<rows.count).map { try rows[$0].decode(String.self, at: 0) }
  }

  @Test func `replicas serve through an outage, no node is lost, and nothing happens after it`()
    async throws
  {
    let site = try Site()
    let cluster = try await TestCluster.dedicated()
    let database = try await cluster.makeDatabase()
    try await site.startDaemon(
      on: database, with: ["--node-lost-seconds", "\(Self.nodeLostSeconds)"])
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let engines = site.engines
    #expect(engines.count == 2)
    let asker = Asker(site, key, "xai/grok-3")
    try await asker.goesOn()
    try await site.expectRest()
    let before = try await site.position()
    let said = linesSaid(site)

    try await cluster.stop(.immediate)
    let stopped = ContinuousClock.now
    try await eventually("wharfd says that it is not ready") {
      try await status(site, "/ready") == 503
    }
    try await refused(site, "deployment", "scale", "grok", "--replicas", "1")
    try await refused(site, "provider", "suspend", "xai")
    try await eventually("the outage was long", withinSeconds: 600) {
      try #require(site.engines == engines, "\(site.lastWords())")
      return ContinuousClock.now - stopped > .seconds(Self.outageSeconds)
    }
    try await asker.goesOn()
    asker.expectNoFailure()
    #expect(linesSaid(site) - said < Self.mostLinesSaid, "\(site.lastWords())")

    try await cluster.start()
    try await eventually("it is ready again, without a restart") {
      try await status(site, "/ready") == 200
    }
    try await site.expectRest()
    // The lead is taken anew, since an append may have been under way; nothing else follows.
    let types = try types(database, after: before)
    #expect(types.allSatisfy { $0 == "leadershipTaken" } && types.count <= 1, "\(types)")
    try await asker.goesOn()
    asker.expectNoFailure()
    #expect(site.engines == engines, "the same engines, all along")
    #expect(try await site.node()["status"] as? String == "active")
    let holdings = try site.holdings()
    #expect(holdings.starts.count == 2 && holdings.conflicts.isEmpty, "\(holdings.starts)")
    // And it goes on as before.
    try await site.done("deployment", "scale", "grok", "--replicas", "3", "--wait")
    asker.end()
    try await site.end()
    await cluster.remove()
  }
}

extension Site {
  /// How often wharfd said that it lost the database.
  fileprivate var losses: Int { said("wharfd").ranges(of: "lost the database").count }
}
