// A node of the system that people take out: its agent ends for good, and only a later `up` brings it
// back.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@testable import Up

@Suite(.serialized, .turn, .bounded) struct RemovalTests {
  private func log(_ system: TestSystem, _ name: String) -> String {
    (try? String(contentsOfFile: system.layout.log(name), encoding: .utf8)) ?? ""
  }

  private func nodeFile(_ system: TestSystem) -> String {
    "\(system.layout.agent("node-1"))/node.json"
  }

  @Test func `a removed node's agent is not started again, and the next up joins it anew`()
    async throws
  {
    let system = try TestSystem()
    try await system.up(system.whole)
    let first = try String(contentsOfFile: nodeFile(system), encoding: .utf8)
    try await system.send(RemoveNode(node: Name("node-1"), poweredOff: false))
    try await eventually("its agent ended", withinSeconds: 60) {
      !system.isAlive(Part.agent("node-1"))
    }
    let again = try await system.wharf("up", "--data", system.data, "--detach")
    #expect(again.status == .code(0), "\(again)")
    #expect(again.output.contains("node-1 was removed, and has no agent"), "\(again)")
    try await eventually("the supervisor says so") {
      log(system, Background.logName).contains("node-1 was removed: its agent ended")
    }

    // Another supervisor never saw that agent end.
    try await system.kill9(system.supervisor())
    let said = try await system.up(system.whole)
    #expect(said.contains("node-1 was removed; it joins again, as a new node"), "\(said)")
    let second = try String(contentsOfFile: nodeFile(system), encoding: .utf8)
    #expect(second != first)
    // Known to wharfd: it answers this agent.
    try await system.send(CordonNode(node: Name("node-1")))
    #expect(!log(system, Background.logName).contains("started again in"))
    try await system.down()
  }

  @Test func `a node that was removed while no agent ran is found out by up, and joins anew`()
    async throws
  {
    let system = try TestSystem()
    try await system.up(system.whole)
    let first = try String(contentsOfFile: nodeFile(system), encoding: .utf8)
    // One at a time, so that nobody starts the agent again.
    try await system.kill9(system.supervisor())
    try await system.kill9(system.pid(Part.agent("node-1")))
    try await system.send(RemoveNode(node: Name("node-1"), poweredOff: true))
    let said = try await system.up(system.whole)
    #expect(said.contains("node-1 was removed; it joins again, as a new node"), "\(said)")
    #expect(try String(contentsOfFile: nodeFile(system), encoding: .utf8) != first)
    try await system.down()
  }
}
