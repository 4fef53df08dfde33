// A process of a gateway that a test speaks for: it asks for leases, of whom and when the test says, and
// remembers until when each lets it serve.

import AsyncHTTPClient
import Foundation
import Hosting
import NIOCore
import NIOHTTP1
import Synchronization
import TestKit
import Testing
import Wire

final class LeaseProbe: Sendable {
  struct Given: Sendable {
    let sentAt: ContinuousClock.Instant
    /// By its own clock it may serve so long.
    let servesUntil: ContinuousClock.Instant
  }

  private struct Heard {
    var enforced: Position?
    var graceSeconds = 0
    var given: [Given] = []
    var refused = 0
  }

  let incarnation = "probe"
  private let credential: String
  private let heard = Mutex(Heard())

  init(credential: String) {
    self.credential = credential.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  var given: [Given] { heard.withLock { $0.given } }
  var refused: Int { heard.withLock { $0.refused } }

  private func send(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, to url: String
  ) async throws -> (status: Int, body: [UInt8]) {
    var request = HTTPClientRequest(
      url: "\(url)/v1/gateway/\(path)?incarnation=\(incarnation)&address=probe")
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(credential)")
    if let body { request.body = .bytes(body) }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(3_600))
    return (
      Int(response.status.code), Array(buffer: try await response.body.collect(upTo: 1 << 20))
    )
  }

  private func note(_ seconds: Int, since sentAt: ContinuousClock.Instant) {
    heard.withLock { heard in
      let end = sentAt + .seconds(seconds + heard.graceSeconds)
      heard.given.append(Given(sentAt: sentAt, servesUntil: end))
    }
  }

  /// Takes the policy, as it is now.
  func takePolicy(from url: String) async throws {
    let sentAt = ContinuousClock.now
    let reply = try await send(.GET, "policy", nil, to: url)
    try #require(reply.status == 200, "\(reply.status)")
    let policy = try Policy(jsonBytes: reply.body)
    heard.withLock { heard in
      heard.enforced = policy.position
      heard.graceSeconds = policy.graceSeconds ?? 0
    }
    note(policy.leaseSeconds, since: sentAt)
  }

  /// Asks for its lease once more.
  ///
  /// - Returns: whether it was given.
  @discardableResult
  func renew(at url: String) async throws -> Bool {
    let sentAt = ContinuousClock.now
    let reply = try await send(
      .POST, "lease", LeaseCall(enforced: heard.withLock { $0.enforced }).jsonBytes, to: url)
    guard reply.status == 200 else {
      heard.withLock { $0.refused += 1 }
      return false
    }
    note(try PolicyLease(jsonBytes: reply.body).leaseSeconds, since: sentAt)
    return true
  }

  /// It serves nothing any more.
  func leave(at url: String) async throws {
    let reply = try await send(
      .POST, "left", LeaseCall(enforced: nil).jsonBytes, to: url)
    try #require(reply.status == 204, "\(reply.status)")
  }

  /// Whoever leads waits for each lease to its end, whoever gave it.
  func expectCounted(
    by url: String, token: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var request = HTTPClientRequest(url: "\(url)/v1/gateways/enforced?position=0")
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    let given = given
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let body = Array(buffer: try await response.body.collect(upTo: 1 << 20))
    // As it was when it was asked, or earlier: so what it says ends no later than this.
    let heardAt = ContinuousClock.now
    let items = try ItemsReply<EnforcementItem>(jsonBytes: body).items
    let own = try #require(
      items.first { $0.incarnation == incarnation }, "\(items)", sourceLocation: sourceLocation)
    let counted = heardAt + .seconds(own.leaseSeconds)
    let longest = try #require(given.map(\.servesUntil).max())
    #expect(
      longest <= counted, "a lease is over \(longest - counted) later than is counted",
      sourceLocation: sourceLocation)
  }
}
