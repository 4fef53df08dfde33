// What tests of the planner share: signals of a world, and committing a plan.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

extension World {
  /// Where each replica has its attempt.
  func places(of id: ID<Deployment>) -> [Int: String] {
    var found: [Int: String] = [:]
    for replica in state.deployments[id]?.replicas.values.map({ $0 }) ?? [] {
      if let node = replica.node.flatMap({ state.nodes[$0] }) {
        found[replica.id.number] = node.name.text
      }
    }
    return found
  }

  /// All nodes heard just now, but for some that have been silent.
  func signals(
    silent: [ID<Node>: Double] = [:], hearingSeconds: Double = 100_000
  ) -> Signals {
    var signals = Signals(hearingSeconds: hearingSeconds)
    for id in state.nodes.byID.keys {
      signals.heard[id] = .init(silentSeconds: silent[id] ?? 1, incarnation: "agent-1")
    }
    return signals
  }

  /// Plans and commits; a second plan must find nothing.
  @discardableResult
  mutating func settle(
    silent: [ID<Node>: Double] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Plan {
    let first = plan(state, signals(silent: silent), now: now)
    for command in first.decisions {
      #expect(try !perform(command, by: .wharfd).isEmpty, sourceLocation: sourceLocation)
    }
    let second = plan(state, signals(silent: silent), now: now)
    #expect(second.decisions.isEmpty, sourceLocation: sourceLocation)
    #expect(second.wakeAt ?? now.adding(seconds: 1) > now, sourceLocation: sourceLocation)
    return first
  }
}
