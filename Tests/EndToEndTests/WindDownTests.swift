// G8: no engine runs for a provider without an agreement in force, past the wind-down. Read from what the
// engines wrote down themselves and from the process table.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct WindDownTests {
  /// How long an engine that does not heed its stop may take before it is killed.
  private static let graceSeconds = 3

  /// `sim`, but killed sooner.
  private static let briefEngine = """
    kind: engine
    name: brief
    tasks: [chat]
    command: [wharf-engine-sim, "--host=${host}", "--port=${port}",
      "--served-model-name=${servedModelName}"]
    environment: {WHARF_ENGINE_KEY: "${engineKey}"}
    readiness: {path: /health, listsModel: true, periodMilliseconds: 100, deadlineSeconds: 120}
    stopGraceSeconds: \(graceSeconds)
    """

  /// A date that the command line takes, to the microsecond.
  private func text(_ date: Date) -> String {
    Timestamp(microseconds: Int64(date.timeIntervalSince1970 * 1_000_000)).jsonText
  }

  private func site() async throws -> Site {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    return site
  }

  /// The engines that run for a deployment, by what they wrote down of themselves.
  private func running(_ site: Site, _ deployment: String) async throws -> [pid_t] {
    let attempts = try await site.replicas().filter { $0["deployment"] as? String == deployment }
      .compactMap { $0["attempt"] as? String }
    let pids = try site.holdings().holdings.filter { attempts.contains($0.attempt) }.map(\.pid)
    return pids.filter(site.engines.contains).sorted()
  }

  private func isReady(_ site: Site, _ deployment: String, _ count: Int) async throws -> Bool {
    let ready = try await site.replicas().count {
      $0["deployment"] as? String == deployment && $0["phase"] as? String == "ready"
    }
    let engines = try await running(site, deployment).count
    return ready == count && engines == count
  }

  @Test
  func `a suspended provider's engines end, others serve on, and reinstated they run again`()
    async throws
  {
    let site = try await site()
    let file = site.folder.path("brief.yaml")
    try Data(Self.briefEngine.utf8).write(to: URL(filePath: file))
    try await site.done("engine", "define", "-f", file)
    try await site.deploy(replicas: 1)
    // One that does not heed its stop.
    try await site.addVersion("xai/grok-3:2", engine: "brief", arguments: ["--refuse-stop"])
    try await site.done(
      "deployment", "create", "stubborn", "--model", "xai/grok-3:2", "--replicas", "1", "--wait")
    try await site.onboard("acme", "rocket")
    try await site.done(
      "deployment", "create", "rocket", "--model", "acme/rocket:1", "--replicas", "1", "--wait")
    let others = try await running(site, "rocket")
    #expect(others.count == 1 && site.engines.count == 3)
    let stubborn = try #require(try await running(site, "stubborn").first)
    let key = try await site.key(for: "xai/grok-3", "acme/rocket")
    try await site.answered(key, "xai/grok-3")
    try await site.answered(key, "acme/rocket")
    let ofSuspended = Asker(site, key, "xai/grok-3")
    let ofOther = Asker(site, key, "acme/rocket")
    try await ofSuspended.goesOn()

    try await site.done("provider", "suspend", "xai")
    let suspended = try await site.position(of: "providerSuspended")
    let suspendedAt = Date()
    try await site.told(403, saying: "providerSuspended", key, "xai/grok-3")
    try await eventually("the gateway enforces it") {
      try await site.metric("wharf_gateway_policy_position") ?? 0 >= Double(suspended)
    }
    let enforcedAt = Date()
    try await eventually(
      "its engines end", withinSeconds: Double(Self.graceSeconds) + Pace.patienceSeconds
    ) {
      site.engines == others
    }
    let refusal = try await site.ask(key, "xai/grok-3")
    #expect(refusal.status == 403 && refusal.body.contains("provider xai is suspended"))
    for deployment in ["grok", "stubborn"] {
      let why = try await site.done("why", "deployment", deployment)
      #expect(why.contains("provider xai is suspended"), "\(why)")
      #expect(why.contains("wharf provider reinstate xai"), "\(why)")
    }
    try await eventually("their devices are free") {
      try await site.node()["freeDevices"] as? Int == 3
    }
    try await site.expectRest()
    #expect(site.engines == others, "nothing of it is started again")
    #expect(try site.holdings().starts.count == 3)
    // G7: not one answer after its gateway said that it enforces the suspension.
    let late = ofSuspended.all.filter { $0.isAnswered && $0.sentAt > enforcedAt }
    #expect(late.isEmpty, "\(late)")
    ofOther.expectNoFailure()
    #expect(try await running(site, "rocket") == others)

    try await site.done("provider", "reinstate", "xai")
    try await eventually("they run again") {
      let (grok, stubborn) = (
        try await isReady(site, "grok", 1), try await isReady(site, "stubborn", 1)
      )
      return grok && stubborn
    }
    try await site.answered(key, "xai/grok-3")
    ofOther.expectNoFailure()

    // Whose access is revoked is refused; the model's engines are not theirs, and serve on.
    let engines = site.engines
    try await site.done("team", "revoke", "copilot", "xai/grok-3", "--wait")
    try await site.told(403, saying: "grantRevoked", key, "xai/grok-3")
    try await site.expectRest()
    #expect(site.engines == engines)
    try await site.done("team", "grant", "copilot", "xai/grok-3")
    try await site.answered(key, "xai/grok-3")

    ofSuspended.end()
    ofOther.end()
    let killedAt = Int64((suspendedAt.timeIntervalSince1970 + Double(Self.graceSeconds)) * 1e6)
    let holdings = try site.holdings(killed: [stubborn: killedAt])
    #expect(holdings.starts.count == 5, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    try await site.end()
  }

  @Test
  func `an agreement's end stops engines and answers though wharfd is down, and a new one begins`()
    async throws
  {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let engines = site.engines

    // Told of the end, and then left alone with it: in time, however slow this machine is.
    let end = Date() + max(12, try await 20 * site.commandSeconds())
    try await site.done("agreement", "terminate", "xai", "--at", text(end))
    let terminated = try await site.position(of: "agreementTerminated")
    try await eventually("agent and gateway know") {
      let assignment = site.folder.text("agent/assignment.json") ?? ""
      let policy = try await site.metric("wharf_gateway_policy_position") ?? 0
      return assignment.contains(text(end)) && policy >= Double(terminated)
    }
    try await site.stop("wharfd", by: SIGKILL)
    try #require(Date() < end, "the machine is too busy for this test")
    #expect(site.engines == engines)
    #expect(try await site.ask(key, "xai/grok-3").status == 200)
    let asker = Asker(site, key, "xai/grok-3")
    try await eventually("the engines end by themselves", withinSeconds: 600) {
      site.engines.isEmpty
    }
    #expect(Date() >= end)
    try await site.told(403, saying: "noAgreement", key, "xai/grok-3")
    let late = asker.all.filter { $0.isAnswered && $0.sentAt > end }
    #expect(late.isEmpty, "\(late)")
    let holdings = try site.holdings()
    #expect(
      holdings.holdings.allSatisfy {
        ($0.untilMicroseconds ?? 0) >= Int64(end.timeIntervalSince1970 * 1_000_000)
      }, "none before its end: \(holdings.holdings)")

    try await site.startDaemon(on: database)
    try await eventually("the end is noted") {
      try await site.events("agreementEnded").count == 1
    }
    try await site.told(403, saying: "noAgreement", key, "xai/grok-3")
    let why = try await site.done("why", "deployment", "grok")
    #expect(why.contains("no agreement in force allows inference of xai"), "\(why)")
    try await site.expectRest()
    #expect(site.engines.isEmpty)

    try await site.done(
      "agreement", "sign", "xai", "--scope", "inference", "--audience", "internal", "--from",
      "2025-05-01", "--until", "2095-05-01", "--notice-days", "90")
    try await site.answered(key, "xai/grok-3")
    try await eventually("both replicas are ready") {
      try await isReady(site, "grok", 2)
    }
    let all = try site.holdings()
    #expect(all.starts.count == 4 && all.conflicts.isEmpty, "\(all.starts) \(all.conflicts)")
    #expect(try await site.replicas().allSatisfy { ($0["failures"] as? Int ?? 0) == 0 })
    asker.end()
    try await site.end()
  }

  @Test func `an agreement that is prolonged in time stops nobody`() async throws {
    let site = try await site()
    // Some twenty commands, and the start of two engines, come before it.
    let end = Date() + max(30, try await 100 * site.commandSeconds())
    try await site.onboard("xai", "grok-3", until: text(end))
    try await site.done(
      "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "2", "--wait")
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let engines = site.engines
    let asker = Asker(site, key, "xai/grok-3")
    try await site.done("agreement", "amend", "xai", "--until", "2095-05-01")
    try #require(Date() < end, "the machine is too busy for this test")
    try await eventually("the old end has passed", withinSeconds: 600) { Date() > end + 3 }
    #expect(site.engines == engines, "the same engines, all along")
    try await asker.goesOn()
    asker.expectNoFailure()
    #expect(try site.holdings().starts.count == 2)
    asker.end()
    try await site.end()
  }
}
