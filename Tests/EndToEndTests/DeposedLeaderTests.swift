// A leader goes while gateways hold leases that it gave: it stands still, it is killed, or its way to the
// database is dead and it does not know. What the next one says of a revocation is held against what clients of the
// gateways are answered, and what it counts against the leases that the one before goes on to give.

import Foundation
import Glibc
import Postgres
import Synchronization
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct DeposedLeaderTests {
  private static let (deposed, next) = (0, 1)
  private static let model = "xai/grok-3"
  /// At once, where a lease and its grace would be 960.
  private static let waitSeconds = Int((60 * Pace.stretch).rounded(.up))
  private static let asks = 20

  enum Fault: CaseIterable, Sendable {
    case standsStill
    case isKilled
    /// Its sessions at the database are ended, so another leads at once; it hears nothing of that.
    case isCutOff
  }

  /// A gateway of a site, beside the first.
  private struct Outpost: HasGateway {
    let gatewayPort: Int
    let site: Site
    func lastWords() -> String { site.lastWords() }
  }

  @Test(arguments: Fault.allCases)
  func
    `a revocation is enforced when all that the leader before gave leases to say so, and then at once`(
      fault: Fault
    ) async throws
  {
    let wharfds = try await Wharfds(proxied: fault == .isCutOff)
    try #require(try await wharfds.leading() == Self.deposed)
    let site = try Site(of: wharfds)
    do { try await revoke(site, wharfds, fault) } catch {
      throw TestFailure("\(error)\n\(wharfds.said())\n\(site.lastWords())")
    }
    try await site.end()
    let verified = try await wharfds.verify()
    #expect(verified.status == .code(0), "\(verified)")
    await wharfds.remove()
  }

  private func revoke(_ site: Site, _ wharfds: Wharfds, _ fault: Fault) async throws {
    let (deposed, next) = (wharfds.url(Self.deposed), wharfds.url(Self.next))
    let token = try wharfds.token()
    try await site.startAgent()
    try await site.startGateway()
    // It and the probe never hear of another wharfd than the one that goes.
    let far = Outpost(gatewayPort: try Ports.one(), site: site)
    try await site.startGateway(of: "far", as: "far", port: far.gatewayPort, asking: [deposed])
    try await site.deploy(replicas: 1)
    let key = try await site.key(for: Self.model)
    try await site.answered(key, Self.model)
    try await far.answered(key, Self.model)
    let probe = LeaseProbe(
      credential: try #require(site.folder.text(site.gatewayFile("far"))))
    try await probe.takePolicy(from: deposed)
    let askers = [Asker(site, key, Self.model), Asker(far, key, Self.model)]
    for asker in askers { try await asker.goesOn() }

    switch fault {
    case .standsStill: wharfds.send(SIGSTOP, to: Self.deposed)
    case .isKilled: try await wharfds.kill9(Self.deposed)
    case .isCutOff:
      wharfds.proxy?.freeze()
      try wharfds.endSessions(Self.deposed)
    }
    // The one that goes is asked for leases all the while; one that stands still has them all before it.
    let asking = Task {
      guard fault != .isKilled else { return }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            while try await probe.renew(at: deposed), fault == .isCutOff {
              try await Task.sleep(for: .milliseconds(100))
            }
          }
        }
        try await group.waitForAll()
      }
    }
    try await eventually("the next one leads") { try wharfds.leader() == Self.next }
    let revoking = Revocation(site, Self.waitSeconds)
    try await eventually("the gateway that asks both enforces it") {
      (try? askers[0].all.last?.answer.get().status) == 403
    }
    if fault == .isCutOff {
      try await asking.value
      #expect(probe.refused == 4, "it gives no more once it may be deposed")
    }
    try await probe.expectCounted(by: next, token: token)
    try await askers[1].goesOn()
    #expect(!revoking.hasEnded, "a gateway that cannot hear of it serves on")

    switch fault {
    case .standsStill: wharfds.send(SIGCONT, to: Self.deposed)
    case .isKilled:
      try wharfds.start(Self.deposed)
      try await wharfds.ready(Self.deposed)
    case .isCutOff: wharfds.proxy?.thaw()
    }
    try await asking.value
    try await probe.expectCounted(by: next, token: token)
    #expect(!revoking.hasEnded, "the probe does not say that it enforces it")
    try await probe.leave(at: next)
    let (ran, toldAt) = try await revoking.end()
    #expect(ran.status == .code(0) && ran.output.contains("enforced on 2 of 2"), "\(ran)")

    for asker in askers {
      try await eventually("it asks on") { asker.all.count { $0.sentAt > toldAt } >= Self.asks }
      asker.end()
      let late = asker.all.filter { $0.sentAt > toldAt && $0.isAnswered }
      #expect(late.isEmpty, "\(late.count) answered after it was said to be enforced")
      let statuses = Set(asker.all.map { (try? $0.answer.get().status) ?? 0 })
      #expect(statuses == [200, 403])
    }
    let again = try await site.done(
      "key", "revoke", "copilot", "--name", "laptop", "--wait", "--timeout",
      "\(Self.waitSeconds)")
    #expect(again.contains("enforced on 2 of 2"))
  }
}

/// `wharf team revoke … --wait`, under way.
private struct Revocation: Sendable {
  private final class End: Sendable { let isThere = Mutex(false) }

  private let ended = End()
  private let task: Task<(ran: Ran, endedAt: Date), any Error>

  init(_ site: Site, _ seconds: Int) {
    task = Task { [ended] in
      let ran = try await site.wharf([
        "team", "revoke", "copilot", "xai/grok-3", "--wait", "--timeout", "\(seconds)",
      ])
      let endedAt = Date()
      ended.isThere.withLock { $0 = true }
      return (ran, endedAt)
    }
  }

  var hasEnded: Bool { ended.isThere.withLock { $0 } }
  func end() async throws -> (ran: Ran, endedAt: Date) { try await task.value }
}
