// A device that vanishes under a replica: what ran there has failed, by name; the node takes nothing new;
// whoever ran beside it serves on.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct VanishedDeviceTests {
  @Test func `a device that is gone fails its replica, by name, and closes the node`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent(devices: "3xH100-80G")
    try await site.deploy(replicas: 3)
    let before = try site.holdings().holdings
    #expect(before.count == 3)
    let lost = try #require(before.first { $0.devices == ["sim-2"] })
    let others = before.map(\.pid).filter { $0 != lost.pid }.sorted()

    // Simulated devices come and go with the agent.
    try await site.stop(Site.agent(1))
    #expect(site.engines.count == 3)
    try await site.startAgent(devices: "2xH100-80G")
    try await eventually("its engine is ended, and no other") {
      site.engines == others
    }
    let failed = try await eventually("its replica failed") {
      try await site.replicas().first { $0["failures"] as? Int ?? 0 > 0 }
    }
    #expect(failed["lastFailure"] as? String == "exit code 0: device sim-2 is gone from this node")
    let node = try await site.node()
    #expect(node["cordoned"] as? Bool == true)
    #expect(node["missingDevices"] as? [String] == ["sim-2"])
    let shown = try await site.done("node", "show", "node-1")
    #expect(shown.contains("device sim-2 vanished in use"), "\(shown)")
    let cordoned = try await site.events("nodeCordoned")
    #expect(cordoned.count == 1)
    #expect(cordoned.first?["actor"] as? String == node["id"] as? String, "\(cordoned)")
    try await eventually("why it waits names the device") {
      try await site.done("why", "deployment", "grok").contains(
        "cordoned, since device sim-2 vanished in use: node-1")
    }
    try await site.expectRest()
    #expect(site.engines == others)

    // Another node takes the replica; the first one only once a person opens it.
    try await site.startAgent(2)
    try await eventually("all are ready") {
      try await site.done("why", "deployment", "grok").contains("all 3 replicas are ready")
    }
    #expect(try await site.replicas().count { $0["node"] as? String == "node-2" } == 1)
    try await site.done("node", "uncordon", "node-1")
    #expect(try await site.node()["missingDevices"] == nil)
    let holdings = try site.holdings(nodes: 1...2)
    #expect(holdings.starts.count == 4, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    #expect(Set(others).isSubset(of: Set(site.engines)))
    try await site.end()
  }
}
