// An old primary comes back unfenced, at an address of several hosts, and wharfd are started anew: none leads
// it or answers from it that saw the log go further, or that is shown it by a gateway.

import AsyncHTTPClient
import Foundation
import Hosting
import NIOCore
import NIOHTTP1
import Postgres
import TestKit
import Testing
import Wire

@Suite(.bounded) struct StalePrimaryTests {
  private func health(_ wharfds: Wharfds, _ number: Int) async throws -> (
    status: UInt, text: String
  ) {
    let request = HTTPClientRequest(url: wharfds.url(number) + "/health")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
    let body = try await response.body.collect(upTo: 1 << 16)
    return (response.status.code, String(buffer: body))
  }

  private func isRefused(_ wharfds: Wharfds, _ number: Int) async throws {
    try await eventually("wharfd \(number) says that it saw more", withinSeconds: 40) {
      guard let health = try? await health(wharfds, number) else { return false }
      return health.status == 503 && health.text.contains("shortOfSeen")
    }
  }

  private func end(of database: TestDatabase) throws -> Int64 {
    var connection = try database.connect()
    return try connection.query("SELECT max(position) FROM log.events")[0].decode(Int64.self, at: 0)
  }

  private func place(_ name: String, _ client: Client) async throws {
    let outcome = try await client.settle(client.call(PlaceMark(name: try Name(name))), from: 0)
    guard case .stored = outcome else { throw TestFailure("\(name): \(outcome)") }
  }

  @Test func `an old primary that came back is neither led nor read by who saw more`() async throws
  {
    let wharfds = try await Wharfds()
    let client = Client(wharfds, try wharfds.token())
    let credential = Secret(text: "wharf-gateway-of-a-test")
    let registered = try await client.settle(
      client.call(RegisterGateway(name: "edge", credential: credential.digest)), from: 0)
    guard case .stored = registered else { throw TestFailure("\(registered)") }
    let old = wharfds.database
    let standby = try await wharfds.cluster.standby(named: "second")
    try await wharfds.cluster.waitForStandby("second")
    try await eventually("commits wait for the standby", withinSeconds: 60) {
      try await wharfds.cluster.hasSynchronousStandby()
    }
    try await place("before", client)
    await old.cluster.killPostmaster()
    try await standby.promote()
    try await wharfds.move(to: standby)
    for step in 0..<5 { try await place("after-\(step)", client) }
    let seen = try await seen(wharfds)
    // It comes back, and stands first in the address.
    for number in 0..<Wharfds.count { try await wharfds.kill9(number) }
    try await old.cluster.start()
    try await old.cluster.waitForStandby(nil)
    let before = try end(of: old)
    let both = [
      "WHARF_DATABASE_URL":
        "postgres:///\(old.name)?host=\(old.cluster.folder),\(standby.folder)&user=postgres"
    ]
    try wharfds.start(0, with: both)
    try await isRefused(wharfds, 0)
    #expect(try end(of: old) == before, "the old log was gone on with")
    // One that was never here knows nothing, until a gateway comes that was.
    try wharfds.start(1, with: both, ["--seen-file", wharfds.folder.path("new.seen")])
    try await wharfds.ready(1)
    var request = HTTPClientRequest(url: wharfds.url(1) + "/v1/gateway/policy?after=0&wait=0")
    request.headers.add(name: "authorization", value: "Bearer \(credential.text)")
    request.headers.add(name: WharfHeader.sealedHead, value: seen.headerText)
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
    #expect(response.status == .serviceUnavailable)
    try await isRefused(wharfds, 1)
    // Fenced at last: both find the log that they know, and one leads it.
    await old.cluster.killPostmaster()
    for number in 0..<Wharfds.count { try await wharfds.ready(number) }
    try await place("at-last", client)
    #expect(try end(of: wharfds.database) > seen.head.position.value)
    await old.cluster.remove()
    await wharfds.remove()
  }

  /// As any caller of the new log keeps it.
  private func seen(_ wharfds: Wharfds) async throws -> SealedHead {
    let request = HTTPClientRequest(url: wharfds.url(0) + "/health")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
    let text = try #require(response.headers.first(name: WharfHeader.sealedHead))
    return try #require(SealedHead(headerText: text))
  }
}
