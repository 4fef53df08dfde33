// Engines that hang while people ask: out of the routes, then ended and placed again, and the log says why.
// The clients' own list of answers and the process table are the oracle.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.serialized, .bounded) struct HungEngineTests {
  private static let model = "xai/grok-3"
  /// Enough for every replica, half of them at once.
  private static let burst = 12

  /// The simulated engine, looked at often and waited for briefly.
  private static func quick(_ stretch: Double) -> String {
    let seconds = Int(stretch.rounded(.up))
    return """
      kind: engine
      name: quick
      tasks: [chat]
      command: [wharf-engine-sim, "--host=${host}", "--port=${port}", "--served-model-name=${servedModelName}"]
      environment:
        WHARF_ENGINE_KEY: ${engineKey}
      readiness: {path: /health, listsModel: true, periodMilliseconds: 100, deadlineSeconds: 120}
      liveness: {path: /health, periodSeconds: \(seconds), failures: 4, graceSeconds: 0}
      waits: {firstByteSeconds: \(2 * seconds), idleSeconds: 60, wholeSeconds: 600}
      stopGraceSeconds: 1
      """
  }

  /// Two replicas of the model, and a key for it.
  private func site(_ database: TestDatabase) async throws -> (site: Site, key: String) {
    let site = try Site()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    try await site.startGateway()
    let file = site.folder.path("quick.yaml")
    try Data(Self.quick(Pace.stretch).utf8).write(to: URL(filePath: file))
    try await site.done("engine", "define", "-f", file)
    try await site.onboard("xai", "grok-3", engine: "quick")
    try await site.done(
      "deployment", "create", "grok", "--model", "\(Self.model):1", "--replicas", "2", "--wait")
    let key = try await site.key(for: Self.model)
    try await site.answered(key, Self.model)
    return (site, key)
  }

  private func replica(_ site: Site, _ name: String) async throws -> [String: Any] {
    try #require(try await site.replicas().first { $0["name"] as? String == name })
  }

  @Test(.database)
  func `restarted by hand it is replaced without a failed request, and so it is when it hangs`()
    async throws
  {
    let (site, key) = try await site(.current)
    let before = try site.holdings().holdings
    let asker = Asker(site, key, Self.model)
    try await asker.goesOn()
    try await site.done("replica", "restart", "grok-1", "--wait")
    let first = try #require(before.first { $0.attempt.split(separator: ".")[1] == "1" })
    let second = try #require(before.first { $0.attempt.split(separator: ".")[1] == "2" })
    try await eventually("the engine before it is gone") {
      !site.engines.contains(first.pid) && site.engines.count == 2
    }
    #expect(site.engines.contains(second.pid), "the other is left alone")
    try await asker.goesOn()
    asker.expectNoFailure()
    let told = try await site.done("history", "deployment", "grok")
    #expect(told.contains("replicasRestarted"), "\(told)")

    kill(second.pid, SIGSTOP)
    // It is ready again soon; what was reported meanwhile stays.
    try await eventually("it is known to answer no more") {
      try await site.events("nodeReported").contains { event in
        let data = event["data"] as? [String: Any]
        return (data?["attempts"] as? [[String: Any]] ?? []).contains {
          $0["id"] as? String == second.attempt
            && ["unhealthy", "stopping", "ended"].contains($0["phase"] as? String)
        }
      }
    }
    // Who asks now is sent to the other one.
    let outAt = Date()
    try await eventually("it is ended, though it hears nothing") {
      !site.engines.contains(second.pid)
    }
    let failed = try await eventually("its replica failed") {
      let seen = try await replica(site, "grok-2")
      return seen["lastFailure"] as? String
    }
    #expect(failed.contains("it hung, and was ended"), "\(failed)")
    try await eventually("it is ready again") {
      try await replica(site, "grok-2")["phase"] as? String == "ready"
    }
    #expect(site.engines.count == 2)
    try await asker.goesOn()
    asker.end()
    let late = asker.all.filter { $0.sentAt > outAt && !$0.isAnswered }
    #expect(late.isEmpty, "\(late.prefix(3))")
    let reported = try await site.events("nodeReported").map { "\($0["data"] ?? "")" }
    #expect(reported.contains { $0.contains("hung") }, "\(reported)")
    // Neighbours that find no place are not waited for.
    try await site.done("deployment", "scale", "grok", "--replicas", "9")
    let again = try await site.done("replica", "restart", "grok-1", "--wait")
    #expect(again.contains("grok-1 is ready in"), "\(again)")
    try await site.end()
  }

  @Test(.database)
  func `one whose health is good and whose answers never come is left by gateways, and restarted`()
    async throws
  {
    let (site, key) = try await site(.current)
    try await site.addVersion(
      "\(Self.model):2", engine: "quick", arguments: ["--mute-after-requests=0"])
    try await site.done(
      "deployment", "create", "mute", "--model", "\(Self.model):2", "--replicas", "1", "--wait")
    let mute = try #require(
      try site.holdings().holdings.max { $0.fromMicroseconds < $1.fromMicroseconds }
    ).pid
    let answers = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<Self.burst {
        group.addTask { try await site.ask(key, Self.model).status }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(answers) == [200, 504], "\(answers)")
    let askedAt = Date()
    let asker = Asker(site, key, Self.model)
    let restarted = try await eventually("it is restarted") {
      try await site.events("replicasRestarted").first
    }
    let data = try #require(restarted["data"] as? [String: Any])
    #expect(data["cause"] as? String == "unanswering", "\(restarted)")
    try await eventually("its engine is ended") { !site.engines.contains(mute) }
    asker.end()
    // Of what was asked before another one took its place, which hangs as well: one request at a time tries
    // a replica that is out, each after twice as long. Every third would come to nothing otherwise.
    let time = try #require(restarted["recordedAt"] as? String)
    let early = asker.all.filter { $0.sentAt > askedAt && $0.answeredAt < Self.date(time) }
    let failed = early.filter { !$0.isAnswered }
    #expect(failed.count * 20 < early.count, "\(failed.count) of \(early.count)")
    let told = try await site.done("history", "deployment", "mute")
    #expect(told.contains("cause=unanswering"), "\(told)")
    #expect(site.engines.count >= 2)
    try await site.end()
  }

  private static func date(_ text: String) -> Date {
    let form = ISO8601DateFormatter()
    form.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    return form.date(from: text) ?? .distantPast
  }
}
