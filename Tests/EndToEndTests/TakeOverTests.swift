// Two real wharfd, and the leader goes: how soon a command that is sent to the other is acknowledged.
// The bounds are those of the design, in seconds of a calm machine.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing
import Wire

@Suite(.serialized, .turn, .bounded) struct TakeOverTests {
  private static let (leader, other) = (0, 1)
  /// A leader that died: its session is gone from the database, which the other looks at twice a second.
  private static let diedSeconds = 10.0
  /// A leader that stepped down says so, and is told of: at once, where a living one that says nothing
  /// is believed in for ten seconds.
  private static let steppedDownSeconds = 3.0
  /// A leader that stands still keeps its session: what tells is that its beat stood still for ten
  /// seconds, seen by looking twice a second.
  private static let stoodStillSeconds = 11.0
  /// Less than what was sent on to it would be waited for.
  private static let allowanceSeconds = 3.0
  /// More than the buffers of a connection hold.
  private static let manyEvents = 60_000

  /// Sends commands to the other from when the leader is gone, each again until it is acknowledged: one
  /// at once, and one after the other was seen to lead.
  ///
  /// - Returns: how long that took.
  private func seconds(
    _ wharfds: Wharfds, otherLeads: Bool = true, after fault: () async throws -> Void
  ) async throws -> Double {
    let client = Client(wharfds, try wharfds.token())
    @Sendable func expectStored(_ name: Name) async throws {
      let outcome = try await client.settle(
        client.call(PlaceMark(name: name)), from: Self.other, stays: true)
      guard case .stored = outcome else { throw TestFailure("\(name): \(outcome)") }
    }
    try await expectStored("before")
    let watch = Stopwatch()
    try await fault()
    async let meanwhile: Void = expectStored("meanwhile")
    if otherLeads {
      try await eventually("the other leads") { try wharfds.leader() == Self.other }
    }
    try await meanwhile
    try await expectStored("after")
    return watch.seconds
  }

  private func with(
    proxied: Bool = false, _ body: (Wharfds) async throws -> Void
  ) async throws {
    let wharfds = try await Wharfds(proxied: proxied)
    try #require(try await wharfds.leading() == Self.leader)
    do { try await body(wharfds) } catch { throw TestFailure("\(error)\n\(wharfds.said())") }
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    await wharfds.remove()
  }

  @Test func `a leader that is killed`() async throws {
    try await with { wharfds in
      let took = try await seconds(wharfds) { wharfds.send(SIGKILL, to: Self.leader) }
      #expect(took < Self.diedSeconds, "\(wharfds.said())")
    }
  }

  @Test func `a leader that is told to stop`() async throws {
    try await with { wharfds in
      let took = try await seconds(wharfds) { wharfds.send(SIGTERM, to: Self.leader) }
      #expect(took < Self.steppedDownSeconds, "\(wharfds.said())")
      #expect(try await wharfds.ended(Self.leader) == .code(0), "\(wharfds.said())")
    }
  }

  @Test func `a leader that is told to stop while a client reads nothing of what it asked for`()
    async throws
  {
    try await with { wharfds in
      var connection = try wharfds.database.connect()
      try connection.script(ChainSQL.grow(by: Self.manyEvents))
      let reader = try SilentClient(port: wharfds.port(Self.leader))
      try reader.send(
        "GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\n"
          + "Authorization: Bearer \(try wharfds.token())\r\n\r\n")
      try await eventually("the stream has begun") { reader.hasSomething }
      let took = try await seconds(wharfds) { wharfds.send(SIGTERM, to: Self.leader) }
      #expect(took < Self.steppedDownSeconds, "\(wharfds.said())")
      #expect(try await wharfds.ended(Self.leader) == .code(0), "\(wharfds.said())")
      withExtendedLifetime(reader) {}
    }
  }

  @Test func `a leader that stands still`() async throws {
    try await with { wharfds in
      defer { wharfds.send(SIGCONT, to: Self.leader) }
      let took = try await seconds(wharfds) { wharfds.send(SIGSTOP, to: Self.leader) }
      #expect(took < Self.stoodStillSeconds + Self.allowanceSeconds, "\(wharfds.said())")
    }
  }

  /// It comes back at once and leads on, or the other was quicker.
  @Test func `a leader whose session at the database is ended`() async throws {
    try await with { wharfds in
      let backend = try wharfds.memberBackend(Self.leader)
      let took = try await seconds(wharfds, otherLeads: false) {
        try wharfds.cluster.signalBackend(backend, SIGTERM)
      }
      #expect(took < Self.steppedDownSeconds, "\(wharfds.said())")
    }
  }

  /// Its session is left behind in the database, as one is whose network was cut.
  @Test func `a leader that reaches the database no more`() async throws {
    try await with(proxied: true) { wharfds in
      let took = try await seconds(wharfds) { wharfds.proxy?.close() }
      #expect(took < Self.stoodStillSeconds + Self.allowanceSeconds, "\(wharfds.said())")
    }
  }
}
