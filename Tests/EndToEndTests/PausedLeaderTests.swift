// Two real wharfd: the leader is stopped in the middle of an append, the other takes over, the old one
// goes on. One batch wins whole; nothing is doubled, nothing is given twice.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing
import Wire

@Suite(.turn, .bounded) struct PausedLeaderTests {
  @Test(arguments: ["stored", "held up"])
  func `stopped in the middle of an append that is`(append: String) async throws {
    let wharfds = try await Wharfds()
    let token = try wharfds.token()
    #expect(try await wharfds.leading() == 0)
    let tails = (0..<Wharfds.count).map { LogTail(wharfds, token, first: $0) }
    let client = Client(wharfds, token)
    var holder = try wharfds.database.connect()
    // Within a transaction, who is active is read once only.
    var looker = try wharfds.database.connect()
    try holder.script("BEGIN; LOCK TABLE log.events IN SHARE MODE")
    let first = client.call(PlaceMark(name: Name("contested")))
    async let old = client.settle(first, from: 0)
    let backend = try await eventually("the append waits") {
      try looker.query(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'INSERT INTO log.events'"
      ).first?.decode(Int32.self, at: 0)
    }
    wharfds.send(SIGSTOP, to: 0)
    // Stored without its leader's knowing, or under way until another leads.
    if append == "held up" { try wharfds.cluster.pause(backend) }
    try holder.script("COMMIT")
    try await eventually("the other leads") { try wharfds.leader() == 1 }
    let second = client.call(PlaceMark(name: Name("CONTESTED")))
    let new = try await client.settle(second, from: 1)
    wharfds.send(SIGCONT, to: 0)
    if append == "held up" { try wharfds.cluster.resume(backend) }
    let fates = (old: try await old, new: new)
    switch (append, fates.old, fates.new) {
    case ("stored", .stored, .refused), ("held up", .refused, .stored): break
    default: Issue.record("\(append): \(fates)")
    }
    let after = try await client.settle(client.call(PlaceMark(name: Name("after"))), from: 0)
    guard case .stored = after else {
      Issue.record("the old leader's door answers with \(after)")
      return
    }
    let rows = try holder.query("SELECT count(*) FROM log.events WHERE type = 'markPlaced'")
    #expect(try rows[0].decode(Int64.self, at: 0) == 2)
    for tail in tails { try await tail.expectTable(wharfds) }
    #expect(try await wharfds.verify().status == .code(0))
    await wharfds.remove()
  }
}
