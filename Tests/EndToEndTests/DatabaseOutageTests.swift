// The database goes away under a running wharfd: for a moment, which is waited out, and for longer, which
// is told at once.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct DatabaseOutageTests {
  /// What a person may be made to wait for it; the machine may be busy.
  private static let soonSeconds = 6.0

  private func status(_ site: Site, _ path: String) async throws -> UInt {
    let request = HTTPClientRequest(url: site.api + path)
    return try await HTTPClient.shared.execute(request, timeout: .seconds(5)).status.code
  }

  private func refused(_ site: Site, _ arguments: String...) async throws {
    let start = ContinuousClock.now
    let ran = try await site.wharf(arguments)
    let took = ContinuousClock.now - start
    #expect(ran.status == .code(3), "\(arguments): \(ran)")
    #expect(ran.errors.contains("the database is not reachable"), "\(arguments): \(ran)")
    #expect(took < .seconds(Self.soonSeconds), "\(arguments) took \(took)")
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

    try await cluster.stop(.immediate)
    try await eventually("wharfd has lost it") { site.said("wharfd").contains("lost the database") }
    async let patient = site.wharf(["team", "register", "contoso", "--audience", "external"])
    try await cluster.start()
    let waited = try await patient
    #expect(waited.status == .code(0), "\(waited)")

    try await cluster.stop(.immediate)
    try await eventually("wharfd says that it is not ready", withinSeconds: 30) {
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
    try await eventually("it is ready again, without a restart", withinSeconds: 30) {
      try await status(site, "/ready") == 200
    }
    try await site.done("team", "register", "fabrikam", "--audience", "internal")
    #expect(try await site.done("team", "list", "--as-of", "3").isEmpty == false)
    try await site.end()
    await cluster.remove()
  }
}
