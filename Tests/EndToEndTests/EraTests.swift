// A log that was put back, or rewritten: whoever saw more is not steered by it. Real programs on real
// PostgreSQL.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct EraTests {
  @Test func `an agent that saw more than a restored log holds is not steered by it`() async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 1)
    let dump = site.folder.path("dump.sql")
    try shell("pg_dump -d '\(database.url)' > '\(dump)'")
    let backup = try #require(Int64(try await site.done("status", "-q")))
    // What comes now is not in the backup.
    try await site.done("deployment", "scale", "grok", "--replicas", "2", "--wait")
    let engines = site.engines
    #expect(engines.count == 2)
    // The agent has: it was told of the second replica.
    try await eventually("the gateway has seen what the backup lacks") {
      try site.gatewaySeen().map { $0.position.value > backup } ?? false
    }
    try await site.stop("wharfd")

    // A fresh cluster: another system.
    let cluster = try await TestCluster.dedicated()
    let restored = try await cluster.makeDatabase()
    try shell("psql -q -v ON_ERROR_STOP=1 -d '\(restored.url)' -f '\(dump)'")
    let refused = try await site.daemonRefusal(on: restored)
    #expect(refused.status == .code(1))
    #expect(refused.errors.contains("wharfd recover"), "\(refused)")
    let recovered = try await site.run("wharfd", ["recover", "--yes", "--database", restored.url])
    try #require(recovered.status == .code(0), "\(recovered)")
    let verified = try await site.run("wharfd", ["verify", "--database", restored.url])
    #expect(verified.status == .code(0), "\(verified)")

    // Nobody but `ben` has seen nothing yet.
    try await site.startDaemon(on: restored, for: "ben")
    let told = try await site.wharf(["deployment", "list"], as: "ada")
    #expect(
      told.status == .code(0) && told.errors.contains("note: a new era of the log"), "\(told)")
    try await eventually("the agent raises its alarm") {
      try await site.done("node", "show", "node-1", as: "ben").contains("alarm")
    }
    let shown = try await site.done("node", "show", "node-1", as: "ben")
    #expect(shown.contains("of the log, seen up to"), "\(shown)")
    #expect(try await site.done("status", as: "ben").contains("alarm"))
    try await eventually("the gateway raises its alarm") {
      (try await site.metric("wharf_gateway_alarms_total") ?? 0) > 0
    }
    // It is told to stop everything, and changes nothing.
    try await site.done("deployment", "scale", "grok", "--replicas", "0", as: "ben")
    let asked = ContinuousClock.now
    while ContinuousClock.now - asked < .seconds(6) {
      #expect(site.engines == engines)
      try await Task.sleep(for: .milliseconds(200))
    }

    try await site.done("node", "accept-era", "node-1", "--reason", "restored", as: "ben")
    try await eventually("the node follows") { site.engines.isEmpty }
    try await eventually("the alarm is over") {
      try await !site.done("node", "show", "node-1", as: "ben").contains("alarm")
    }
    try await site.done("deployment", "scale", "grok", "--replicas", "1", "--wait", as: "ben")
    #expect(site.engines.count == 1)

    let before = try await site.metric("wharf_gateway_policy_position")
    try await site.stop("wharf-gateway")
    let forgot = try await site.run(
      "wharf-gateway", ["accept-log", "--seen-file", site.folder.path("gateway.seen")])
    #expect(forgot.status == .code(0), "\(forgot)")
    // The dump held the gateway too.
    try await site.startGateway()
    try await eventually("the gateway follows") {
      let position = try? await site.metric("wharf_gateway_policy_position")
      return (position ?? 0) > 0 && position != before
    }
    try await site.end()
    await cluster.remove()
    try await TestCluster.shared().drop(database)
  }

  @Test func `a tail rewritten with a valid chain is found by agent, gateway and people`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    let position = try #require(Int64(try await site.done("status", "-q"))) + 1
    try await site.deploy(replicas: 1)
    let engines = site.engines
    // Its leases tell a gateway of the head, also where its policy stays as it is.
    try await eventually("all have seen it") {
      try site.gatewaySeen().map { $0.position.value > position } ?? false
    }
    try await site.stop("wharfd")
    var connection = try database.connect()
    // Somebody else is made to have done it; every hash after it fits.
    try connection.script(ChainSQL.rewrite(position, "actor = 'person/7'"))
    let verified = try await site.run("wharfd", ["verify", "--database", database.url])
    #expect(verified.status == .code(0), "the chain fits: \(verified)")

    // wharfd finds it itself, as long as it remembers.
    let refused = try await site.daemonRefusal(on: database)
    #expect(refused.status == .code(1) && refused.errors.contains("rewritten"), "\(refused)")
    try site.forgetSeen()
    try await site.startDaemon(on: database, for: "ben")
    let found = try await site.wharf(["provider", "list"], as: "ada")
    #expect(found.status == .code(1) && found.errors.contains("the log was rewritten"), "\(found)")
    try await eventually("the agent finds it") {
      try await site.done("node", "show", "node-1", as: "ben").contains("the log was rewritten")
    }
    try await eventually("the gateway finds it") {
      (try await site.metric("wharf_gateway_alarms_total") ?? 0) > 0
    }
    try await site.done("deployment", "scale", "grok", "--replicas", "0", as: "ben")
    try await Task.sleep(for: .seconds(2))
    #expect(site.engines == engines)
    try await site.end()
    try await TestCluster.shared().drop(database)
  }
}
