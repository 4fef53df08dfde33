// Between wharfd and its database anything may be lost: the answer to a commit, a statement, a
// connection at any byte. What was acknowledged stands once; what was not is wholly there or absent.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct LostOnTheWayTests {
  private static let cuts = 100
  private static let clients = 8

  private func rig(_ proxy: PostgresProxy) async throws -> Rig {
    let database = TestDatabase.current
    _ = try Migrator.migrate(database.configuration)
    let rig = try Rig(PostgresConfiguration(proxy.url(database: database.name))) { settings in
      settings.statementTimeout = .seconds(3)
    }
    try await rig.leads()
    return rig
  }

  @Test func `the answer to a commit is lost: the sender gets it all the same`() async throws {
    let proxy = try PostgresProxy(server: TestDatabase.current.cluster.folder)
    let rig = try await rig(proxy)
    let before = rig.head.state.position
    proxy.loseAnswer(toRequestWith: "stored-unheard")
    let receipt = try await rig.send(PlaceMark(name: Name(known: "stored-unheard")))
    #expect(proxy.cuts == 1)
    // It was stored where it was decided, ahead of the leader's taking the lead anew.
    #expect(receipt.position == before.next)
    let events = try rig.verified()
    #expect(events.count { $0.type == "markPlaced" } == 1)
    #expect(events.last?.type == "leadershipTaken")
    await rig.stop()
    proxy.close()
  }

  @Test func `a statement is lost on its way: it is stored once, later`() async throws {
    let proxy = try PostgresProxy(server: TestDatabase.current.cluster.folder)
    let rig = try await rig(proxy)
    let before = rig.head.state.position
    proxy.loseRequest(with: "never-came")
    let receipt = try await rig.send(PlaceMark(name: Name(known: "never-came")))
    #expect(proxy.cuts == 1)
    #expect(receipt.position > before.next, "the leader took the lead anew first")
    let marks = try rig.verified().count { $0.type == "markPlaced" }
    #expect(marks == 1)
    await rig.stop()
    proxy.close()
  }

  @Test func `cut at any byte a hundred times under load: nothing lost, nothing twice`()
    async throws
  {
    let proxy = try PostgresProxy(server: TestDatabase.current.cluster.folder)
    let rig = try await rig(proxy)
    let storm = Storm()
    let running = storm.run({ rig }, clients: Self.clients)
    var random = SplitMix64(seed: .random(in: .min ... .max))
    for _ in 0..<Self.cuts {
      let cuts = proxy.cuts
      // From the first bytes of a connection to some batches on.
      proxy.cut(afterBytes: Int.random(in: 1...20_000, using: &random))
      try await eventually("it is cut") { proxy.cuts > cuts }
    }
    let before = storm.count
    try await eventually("it goes on") { storm.count > before + 20 }
    storm.stop()
    await running.value
    try storm.check(rig)
    await rig.stop()
    proxy.close()
  }
}
