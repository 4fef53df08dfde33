// The transcript of the design, played on a real PostgreSQL with real processes; then every process
// is killed in turn, and the system recovers; then nothing is left behind.

import Foundation
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct TranscriptTests {
  private func onboard(_ system: System) async throws -> String {
    try await system.done("provider", "register", "xai", "--name", "xAI")
    try await system.done(
      "agreement", "sign", "xai", "--scope", "inference", "--audience", "internal,external",
      "--from", "2025-05-01", "--until", "2095-05-01", "--notice-days", "90")
    try await system.done("model", "onboard", "xai/grok-3", "--task", "chat", "--context", "131072")
    try await system.done(
      "model", "add-version", "xai/grok-3:1", "--engine", "sim", "--devices", "2",
      "--device-memory", "70GiB", "--argument", Site.engineLogArgument)
    try await system.done(
      "model", "publish", "xai/grok-3", "--to", "internal", "--stage", "preview")
    try await system.done("team", "register", "copilot", "--audience", "internal")
    try await system.done(
      "team", "grant", "copilot", "xai/grok-3", "--requests-per-minute", "60000")
    let key = try await system.done("key", "issue", "copilot", "--name", "laptop", "-q")
    try await system.done(
      "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "2", "--wait")
    return key
  }

  @Test func `the transcript runs as printed`() async throws {
    let system = try System()
    try await system.up()
    let key = try await onboard(system)
    let answer = try await system.ask(key, "xai/grok-3")
    #expect(answer.status == 200)
    #expect(answer.body.contains("hello"))
    let why = try await system.done("why", "deployment", "grok")
    #expect(why.contains("grok"))
    try await system.done("mark", "before-revoke")
    let revoked = try await system.done("team", "revoke", "copilot", "xai/grok-3", "--wait")
    #expect(revoked.contains("enforced on 1 of 1 gateways"))
    let refusal = try await system.ask(key, "xai/grok-3")
    #expect(refusal.status == 403)
    #expect(refusal.body.contains("revoked"))
    let before = try await system.done("team", "show", "copilot", "--as-of", "before-revoke")
    #expect(before.contains("xai/grok-3"))
    let diff = try await system.done("diff", "--from", "before-revoke")
    #expect(diff.contains("copilot"))

    let misled = try await system.refused(
      "team", "list", "--api", "127.0.0.1:\(system.gatewayPort)", code: 3)
    #expect(misled.contains("is a gateway, not Wharf's API"), "\(misled)")

    // Refusals say why, and name the clause.
    try await system.done("team", "register", "contoso", "--audience", "external")
    let unpublished = try await system.refused("team", "grant", "contoso", "xai/grok-3")
    #expect(unpublished.contains("not published to external"))
    let training = try await system.refused(
      "team", "grant", "copilot", "xai/grok-3", "--workload", "training")
    #expect(training.contains("scope: inference"))

    try await system.expectTruth()

    // A second `up` resumes with nothing lost; `down` leaves nothing running.
    try await system.down()
    try await system.up()
    let after = try await system.done("team", "show", "copilot", "--as-of", "before-revoke")
    #expect(after.contains("xai/grok-3"))
    try await system.down()
  }

  @Test func `down and up again is no failure of a replica, and the same key is answered`()
    async throws
  {
    let system = try System()
    try await system.up()
    let key = try await onboard(system)
    try await system.answered(key, "xai/grok-3")
    // Twice: a wait after a failure would double.
    for _ in 0..<2 {
      try await system.down()
      try await system.up()
      try await eventually("both replicas are ready again, with no failure") {
        let replicas = try await system.wharf("replica", "list", "-o", "json").output
          .filter { !$0.isWhitespace }
        #expect(!replicas.contains("lastFailure"), "\(replicas)")
        return replicas.ranges(of: #""phase":"ready""#).count == 2
          && replicas.ranges(of: #""failures":0"#).count == 2
      }
      try await system.answered(key, "xai/grok-3")
    }
    let why = try await system.done("why", "deployment", "grok")
    #expect(!why.contains("failed"), "\(why)")
    try await system.expectTruth()
    try await system.down()
    let holdings = try system.holdings()
    #expect(holdings.starts.count == 6 && holdings.holdings.count == 6, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
  }

  @Test func `scaled, cordoned and deleted, the nodes follow, and what waits says why`()
    async throws
  {
    let system = try System()
    try await system.up()
    _ = try await onboard(system)
    func engines(_ count: Int) async throws {
      try await eventually("\(count) engines run") {
        system.pids(of: "wharf-engine-sim").count == count
      }
    }
    try await engines(2)
    try await system.done("deployment", "scale", "grok", "--replicas", "4", "--wait")
    try await engines(4)
    // Eight devices, two each: a fifth replica waits, and is told of by every node.
    try await system.done("deployment", "scale", "grok", "--replicas", "5")
    try await eventually("the fifth waits for devices") {
      try await system.done("why", "deployment", "grok").contains(
        "2 with too few free devices (2 wanted, at most 0 free): node-1, node-2")
    }
    try await system.done("deployment", "scale", "grok", "--replicas", "1", "--wait")
    try await engines(1)
    try await system.done("node", "cordon", "node-1")
    try await system.done("node", "cordon", "node-2")
    try await system.done("deployment", "scale", "grok", "--replicas", "2")
    try await eventually("cordoned nodes take nothing new") {
      try await system.done("why", "deployment", "grok").contains("cordoned")
    }
    try await engines(1)
    try await system.done("node", "uncordon", "node-2")
    try await engines(2)
    try await system.done("deployment", "delete", "grok")
    try await engines(0)
    try await eventually("every device is free again") {
      try await system.done("status").contains("8 of 8 devices free")
    }
    try await system.expectTruth()
    try await system.down()
  }

  @Test func `every process is killed in turn, and the system recovers`() async throws {
    let system = try System()
    try await system.up()
    let key = try await onboard(system)
    // Every device is taken: who is started again needs those of the one that died.
    try await system.done("deployment", "scale", "grok", "--replicas", "4", "--wait")
    try await system.answered(key, "xai/grok-3")

    let engines = system.pids(of: "wharf-engine-sim")
    #expect(engines.count == 4)
    try system.kill9("wharf-agent")
    #expect(try await system.ask(key, "xai/grok-3").status == 200, "it serves on without an agent")
    try await eventually("the agents are back") {
      system.pids(of: "wharf-agent").count == 2
    }
    try system.kill9("wharfd")
    #expect(try await system.ask(key, "xai/grok-3").status == 200, "it serves on without wharfd")
    try await eventually("wharfd leads again") {
      try await system.wharf("mark", "after-wharfd").status == .code(0)
    }
    #expect(system.pids(of: "wharf-engine-sim") == engines, "the same engines, all along")

    try system.kill9("postgres")
    try await eventually("PostgreSQL is back and written to") {
      try await system.wharf("mark", "after-postgres").status == .code(0)
    }
    #expect(system.pids(of: "wharf-engine-sim") == engines, "the same engines, all along")
    try await system.answered(key, "xai/grok-3")

    try system.kill9("wharf-gateway")
    try await system.answered(key, "xai/grok-3")

    let victim = try #require(engines.first)
    let killedAt = Int64(Date().timeIntervalSince1970 * 1_000_000)
    kill(victim, SIGKILL)
    try await eventually("the engine is replaced") {
      let now = system.pids(of: "wharf-engine-sim")
      return now.count == 4 && !now.contains(victim)
    }
    try await eventually("every replica is ready") {
      try await system.wharf(
        "deployment", "scale", "grok", "--replicas", "4", "--wait", "--timeout", "30"
      ).status == .code(0)
    }
    try await system.answered(key, "xai/grok-3")
    try await system.expectTruth()
    try await system.down()
    // Four, and one for the victim: nobody was started again for the death of any program.
    let holdings = try system.holdings(killed: [victim: killedAt])
    #expect(holdings.starts.count == 5 && holdings.holdings.count == 5, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
  }
}
