// A node whose agent does not believe this log.

import TestKit
import Testing

@testable import Hosting

@Suite struct NodeTrustTests {
  private let alarm: Text =
    "the era began before what this node has seen of the log, seen up to 100"

  private func alarmed(_ given: Given) -> Given {
    given.and(
      RaiseNodeAlarm(cause: .eraLost, seen: 100), by: .agent(given.world.n1))
  }

  @Test func `an alarm is recorded when it begins and when it ends, not when its cause changes`() {
    let node = Given.deployed
    let agent = Principal.agent(node.world.n1)
    node.when(RaiseNodeAlarm(cause: nil, seen: nil), by: agent).thenNothing()
    let raised = node.when(RaiseNodeAlarm(cause: .eraLost, seen: 100), by: agent)
      .then(NodeAlarmed(alarm: nil, seen: 100, cause: .eraLost))
    #expect(raised.world.state.nodes[node.world.n1]?.alarm == alarm)
    raised.when(RaiseNodeAlarm(cause: .logRewritten, seen: 101), by: agent).thenNothing()
    raised.when(RaiseNodeAlarm(cause: nil, seen: nil), by: agent)
      .then(NodeAlarmed(alarm: nil, seen: nil))
    node.when(RaiseNodeAlarm(cause: .eraLost, seen: 100)).thenRefused("notAllowed")
    // In a log that an older wharfd may read, our own words stand for the code.
    let older = node.happened(FormatLevelRaised(level: FormatLevel.first), on: .log)
    older.when(RaiseNodeAlarm(cause: .eraLost, seen: 100), by: agent)
      .then(NodeAlarmed(alarm: alarm, seen: 100))
  }

  @Test func `nothing is placed on a node in alarm`() {
    let node = alarmed(Given.deployed)
    let found = node.world.state.nodes[node.world.n1]
    #expect(found?.isOpen(now: node.world.now) == false)
    #expect(Shortfall.alarmed.reason == .noOpenNode)
  }

  @Test func `a person lets a node in alarm follow the era that is`() {
    let era = Given().happened(
      EraBegan(database: DatabaseIdentity(systemIdentifier: "7", timeline: 1)), on: .log)
    let node = era.with { try $0.addNode("n1") }
    node.when(AcceptEra(node: "n1")).thenRefused("noAlarm")
    let accepted = alarmed(node).when(AcceptEra(node: "n1")).then(EraAccepted(era: 1))
    let state = accepted.world.state
    #expect(state.nodes[node.world.n1]?.acceptedEra == 1)
    #expect(state.nodes[node.world.n1]?.generation == state.position)
    accepted.when(AcceptEra(node: "n1")).thenNothing()
  }
}
