// Who is silent, found at the cost of what was heard, against a look at every node.

import Hosting
import Planner
import TestKit
import Testing
import Time

@testable import ControlPlane
@testable import EventLog

@Suite struct SilenceBookTests {
  private let start = ContinuousClock().systemEpoch + .seconds(1_000)

  /// A world of some nodes, and what is heard of them as time goes by.
  private struct Hearing {
    var world = World()
    var nodes: [ID<Node>] = []
    var made = 0
    var random: SplitMix64

    init(seed: UInt64) throws {
      random = SplitMix64(seed: seed)
      for _ in 0..<12 { try addNode() }
    }

    mutating func addNode() throws {
      made += 1
      nodes.append(
        try world.addNode(Name("n\(made)"), .devices(1, of: .gib(16), cpuMillis: 1_000)))
    }

    mutating func removeNode() throws {
      let id = nodes.remove(at: Int.random(in: 0..<nodes.count, using: &random))
      guard let name = world.state.nodes[id]?.name else { return }
      try world.perform(RemoveNode(node: name, poweredOff: true))
    }
  }

  @Test(arguments: 1...UInt64(12)) func `it tells of the same nodes as a look at all of them`(
    seed: UInt64
  ) throws {
    var hearing = try Hearing(seed: seed)
    var book = SilenceBook()
    var heardAt: [ID<Node>: Clocks.Instant] = [:]
    var now = start
    book.follow(hearing.world.state)
    for _ in 0..<600 {
      now += .milliseconds(Int.random(in: 1...900, using: &hearing.random))
      switch Int.random(in: 0..<20, using: &hearing.random) {
      case 0: try hearing.addNode()
      case 1 where hearing.nodes.count > 3: try hearing.removeNode()
      default:
        let node = hearing.random.pick(hearing.nodes)
        book.hear(node, at: now)
        heardAt[node] = now
      }
      book.follow(hearing.world.state)
      let silence = book.silence(ofAtLeast: .seconds(5), at: now)
      let all = hearing.nodes
      let long = heardAt.filter { all.contains($0.key) && now - $0.value >= .seconds(5) }
      #expect(silence.long == long)
      #expect(silence.unheard == Set(all.filter { heardAt[$0] == nil }))
      let rest = all.compactMap { heardAt[$0] }.filter { now - $0 < .seconds(5) }.min()
      #expect(silence.restHeardAt == rest)
    }
    // However often each was heard, no more is held than what was said in the span that counts.
    #expect(book.kept < 600)
  }

  @Test(arguments: 1...UInt64(8)) func `a plan is the same by it and by all that was heard`(
    seed: UInt64
  ) throws {
    var hearing = try Hearing(seed: seed)
    let signals = SignalBook()
    var now = start
    var lost = 0
    for step in 0..<900 {
      let milliseconds = Int.random(in: 50...900, using: &hearing.random)
      now += .milliseconds(milliseconds)
      if step % 2 == 0 { hearing.world.pass(seconds: 1) }
      // Once it could not hear for a while, and one that is silent comes back seldom.
      if step == 300 { now += .seconds(3) }
      signals.tick(epoch: 1, at: now, couldAppend: true)
      for (number, node) in hearing.nodes.enumerated()
      where number % 4 > 0 || hearing.random.chance(1) {
        guard hearing.random.chance(30) else { continue }
        _ = signals.heard(
          node, .init(bootID: "b", incarnation: "a", holdsAll: true), recorded: ("b", "a"), at: now)
      }
      let state = hearing.world.state
      let date = hearing.world.now
      let few = plan(state, signals.signals(of: state, at: now), now: date)
      let all = plan(state, signals.signals(at: now), now: date)
      #expect(few.text(of: state, now: date) == all.text(of: state, now: date))
      #expect(few.alarms == all.alarms)
      for decision in few.decisions {
        if decision is DeclareNodeLost { lost += 1 }
        try hearing.world.perform(decision, by: .wharfd)
      }
      if hearing.random.chance(2) { try hearing.addNode() }
    }
    #expect(lost > 0, "nothing was lost, so nothing was tried")
  }
}
