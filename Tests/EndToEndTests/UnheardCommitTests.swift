// A real wharfd is killed after it sent what commits, and before it heard that it did.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing
import Wire

@Suite(.turn, .bounded) struct UnheardCommitTests {
  @Test
  func `killed after the commit was sent: the command stands once, and its retry learns where`()
    async throws
  {
    let wharfds = try await Wharfds(proxied: true)
    let proxy = try #require(wharfds.proxy)
    #expect(try await wharfds.leading() == 0)
    let client = Client(wharfds, try wharfds.token())
    for round in 1...2 {
      let name = "unheard-\(round)"
      let call = client.call(PlaceMark(name: try Name(name)))
      let kept = proxy.kept
      proxy.keepAnswer(toRequestWith: name)
      async let unheard = client.send(call, to: 0)
      try await eventually("it is stored and nobody knows") { proxy.kept > kept }
      var connection = try wharfds.database.connect()
      let rows = try connection.query(
        Query("SELECT position FROM log.events WHERE data->>'name' = $1", [Parameter(name)]))
      #expect(rows.count == 1)
      let position = try #require(rows.first).decode(Int64.self, at: 0)
      try await wharfds.kill9(0)
      #expect(await unheard == .unknown)
      // The other one, and then the same again, know it by its id.
      #expect(try await client.settle(call, from: 1, stays: true) == .stored(Position(position)))
      try wharfds.start(0)
      try await wharfds.ready(0)
      #expect(try await client.settle(call, from: 0, stays: true) == .stored(Position(position)))
      #expect(
        try connection.query(
          Query("SELECT FROM log.events WHERE data->>'name' = $1", [Parameter(name)])
        ).count == 1)
      // Back to the first, for the next round.
      try await wharfds.kill9(1)
      try await eventually("the first leads") { try wharfds.leader() == 0 }
      try wharfds.start(1)
      try await wharfds.ready(1)
    }
    #expect(try await wharfds.verify().status == .code(0))
    await wharfds.remove()
  }
}
