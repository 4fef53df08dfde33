// Whoever is killed or paused under load, the log keeps what was acknowledged, once, in one order.
// With WHARF_KILL_LOOP_SECONDS the loop runs for that long, with faults by chance.

import Foundation
import Glibc
import TestKit
import Testing

private let loopSeconds = Double(
  ProcessInfo.processInfo.environment["WHARF_KILL_LOOP_SECONDS"] ?? "")

@Suite(.serialized, .turn, .bounded) struct KillLoopTests {
  enum Fault: CaseIterable {
    case leaderKilled, followerKilled, leaderPaused, leaderBackendEnded, leaderBackendStalled,
      backendsKilled, postmasterKilled
  }

  /// Longer than a statement of the log and its cancellation may take.
  private static let stallSeconds = 18.0

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
        try await eventually("the other leads") {
          try wharfds.leader() == (leader + 1) % Wharfds.count
        }
        try await storm.goesOn()
      } catch {
        wharfds.send(SIGCONT, to: leader)
        throw error
      }
      wharfds.send(SIGCONT, to: leader)
    case .leaderBackendEnded:
      let backend = try wharfds.memberBackend(try await wharfds.leading())
      try wharfds.cluster.signalBackend(backend, SIGTERM)
    case .leaderBackendStalled:
      // Perhaps for longer than a statement may take: the leader gives the connection up, and what it
      // sent is stored or not. Stopped in the middle of a commit, it holds up the whole server: then
      // nothing can go on before it does.
      let backend = try wharfds.memberBackend(try await wharfds.leading())
      try wharfds.cluster.pause(backend)
      try? await storm.goesOn(withinSeconds: Self.stallSeconds)
      try? wharfds.cluster.resume(backend)
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
    let token = try wharfds.token()
    let tails = (0..<Wharfds.count).map { LogTail(wharfds, token, first: $0) }
    var happened: [Fault: Int] = [:]
    try await storm.during {
      try await storm.goesOn()
      let end = ContinuousClock.now + .seconds(loopSeconds ?? 0)
      // Each once, then by chance.
      var faults = Fault.allCases.shuffled()
      while let fault = faults.popLast()
        ?? (ContinuousClock.now < end ? .allCases.randomElement() : nil)
      {
        do { try await happen(fault, wharfds, storm) } catch {
          throw TestFailure("\(fault), after \(happened): \(error)\n\(wharfds.said())")
        }
        happened[fault, default: 0] += 1
      }
    }
    try await storm.check()
    for tail in tails { try await tail.expectTable(wharfds) }
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    try await wharfds.expectViewsAreTheFold()
    await wharfds.remove()
    if loopSeconds != nil {
      print(
        "\(storm.count) commands acknowledged, \(storm.givenUpCount) given up; faults: \(happened)")
    }
  }
}
