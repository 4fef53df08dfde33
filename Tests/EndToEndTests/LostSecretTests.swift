// The cluster's secret is lost for good, and a new one takes its place: what was made with the old one
// (keys of engines) is made anew, by nobody's hand.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct LostSecretTests {
  @Test func `after a new secret every engine gets a new key, and requests are answered again`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let before = site.engines
    try await site.stop("wharfd")
    let secret = site.folder.path("secret")
    try FileManager.default.removeItem(atPath: secret)
    let recovered = try await site.run(
      "wharfd",
      ["recover", "--new-secret", "--secret-file", secret, "--yes", "--database", database.url])
    try #require(recovered.status == .code(0), "\(recovered)")
    try await site.startDaemon(on: database)
    try await eventually("every engine is another one") {
      let now = site.engines
      return now.count == 2 && Set(now).isDisjoint(with: before)
    }
    try await site.answered(key, "xai/grok-3")
    let restarted = try await site.events("replicasRestarted")
    #expect(
      restarted.map { ($0["data"] as? [String: Any])?["cause"] as? String } == ["secretReplaced"])
    #expect(restarted.allSatisfy { $0["actor"] as? String == "wharfd" }, "\(restarted)")
    let holdings = try site.holdings()
    #expect(holdings.starts.count == 4 && holdings.starts.values.allSatisfy { $0 == 1 })
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    let asker = Asker(site, key, "xai/grok-3")
    try await asker.goesOn()
    asker.end()
    asker.expectNoFailure()
    try await site.expectRest()
    try await site.end()
    try await TestCluster.shared().drop(database)
  }
}
