// Whoever is killed or paused under load, the log keeps what was acknowledged, once, in one order.
// With WHARF_KILL_LOOP_SECONDS the loop runs for that long, with faults by chance.

import Foundation
import Glibc
import TestKit
import Testing

private let loopSeconds = Double(
  ProcessInfo.processInfo.environment["WHARF_KILL_LOOP_SECONDS"] ?? "")

@Suite(.serialized, .timeLimit(.minutes(30))) struct KillLoopTests {
  enum Fault: CaseIterable {
    case leaderKilled, followerKilled, leaderPaused, backendsKilled, postmasterKilled
  }

  private func happen(_ fault: Fault, _ wharfds: Wharfds, _ storm: Storm) async throws {
    switch fault {
    case .leaderKilled, .followerKilled:
      let leader = try await wharfds.leading()
      let victim = fault == .leaderKilled ? leader : (leader + 1) % Wharfds.count
      try await wharfds.kill9(victim)
      try await storm.goesOn()
      try wharfds.start(victim)
    case .leaderPaused:
      // In the middle of whatever it was appending: the other takes over, and what the paused one
      // sends when it goes on collides.
      let leader = try await wharfds.leading()
      wharfds.send(SIGSTOP, to: leader)
      do {
        try await eventually("the other leads", withinSeconds: 40) {
          try wharfds.leader() == (leader + 1) % Wharfds.count
        }
        try await storm.goesOn()
      } catch {
        wharfds.send(SIGCONT, to: leader)
        throw error
      }
      wharfds.send(SIGCONT, to: leader)
    case .backendsKilled:
      for pid in try await wharfds.cluster.backendPIDs(database: wharfds.database.name) {
        kill(pid, SIGKILL)
      }
    // One backend killed takes all with it: PostgreSQL starts anew by itself.
    case .postmasterKilled:
      await wharfds.cluster.killPostmaster()
      try await wharfds.cluster.start()
    }
    try await storm.goesOn()
  }

  @Test func `killed and paused under load, all that was acknowledged stands once and in order`()
    async throws
  {
    let wharfds = try await Wharfds()
    let storm = Storm(wharfds, clients: 16)
    var happened: [Fault: Int] = [:]
    try await storm.during {
      try await storm.goesOn()
      if let loopSeconds {
        let end = ContinuousClock.now + .seconds(loopSeconds)
        while ContinuousClock.now < end {
          let fault = Fault.allCases.randomElement()!
          try await happen(fault, wharfds, storm)
          happened[fault, default: 0] += 1
        }
      } else {
        for fault in Fault.allCases { try await happen(fault, wharfds, storm) }
      }
    }
    try storm.check()
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    await wharfds.remove()
    if loopSeconds != nil { print("\(storm.count) commands acknowledged; faults: \(happened)") }
  }
}
