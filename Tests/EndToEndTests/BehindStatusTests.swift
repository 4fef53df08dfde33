// A person sees in `wharf status`, and in what wharfd says, which of its readers are behind the log.

import Foundation
import Postgres
import TestKit
import Testing

@Suite(.turn, .bounded) struct BehindStatusTests {
  /// More than the buffers of a connection hold.
  private static let manyEvents = 60_000
  /// The limit of the alarm is 10 s.
  private static let alarmSeconds = 120.0
  /// So many events are some work.
  private static let catchUpSeconds = 300.0

  @Test func `held-up views and a stream that nobody reads are told of, and when they go on`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.stop("wharfd")
    var holder = try database.connect()
    try holder.script(ChainSQL.grow(by: Self.manyEvents))
    try await site.startDaemon(on: database)
    var looker = try database.connect()
    try await eventually("the views catch up", withinSeconds: Self.catchUpSeconds) {
      let rows = try looker.query(
        "SELECT (SELECT position FROM views.checkpoint) = max(position) FROM log.events")
      return try rows[0].decode(Bool.self, at: 0)
    }
    try await eventually("nothing is behind, after that start", withinSeconds: Self.alarmSeconds) {
      try await !site.done("status").contains("BEHIND THE LOG")
    }
    let position = try await site.done("status", "-q")

    try holder.script("BEGIN; SELECT FROM views.checkpoint FOR UPDATE")
    let token = try #require(site.folder.text("token")).trimmingCharacters(in: .newlines)
    let reader = try SilentClient(port: site.apiPort)
    try reader.send(
      "GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\r\n")
    try await site.done("provider", "register", "xai")
    let head = try await site.done("status", "-q")
    let status = try await eventually("both are told of", withinSeconds: Self.alarmSeconds) {
      let status = try await site.done("status")
      return status.contains("views  ") && status.contains("event stream") ? status : nil
    }
    let events = try #require(Int(head)) - (try #require(Int(position)))
    #expect(status.contains("BEHIND THE LOG"), "\(status)")
    #expect(
      status.contains(try Regex("views +\(position) +\(head) +\(events) +20")), "\(status)")
    let stream = try Regex("event stream of person/[0-9]+ +[0-9]+ +\(head) +[0-9]+ +20")
    #expect(status.contains(stream), "\(status)")
    let said = site.said("wharfd")
    #expect(
      said.contains("behind the log: views at \(position) of \(head), \(events) events, since 20"))
    #expect(said.contains("behind the log: event stream of person/"))
    let past = try await site.done("status", "--as-of", position, "-o", "json")
    #expect(!past.contains("\"behind\""), "of the past nothing of this is known")

    try holder.script("ROLLBACK")
    try await eventually("nothing is behind any more", withinSeconds: Self.alarmSeconds) {
      reader.drain()
      return try await !site.done("status").contains("BEHIND THE LOG")
    }
    let after = site.said("wharfd")
    #expect(after.contains("no longer behind the log: views at \(head) of \(head), after "))
    #expect(after.contains("no longer behind the log: event stream of person/"))
    try await site.end()
  }
}
