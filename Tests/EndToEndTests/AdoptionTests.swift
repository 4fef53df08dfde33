// An agent that is killed or stopped: its engines serve on and are adopted by the next one; what ended or
// was decided while no agent ran is told, stopped or started once.

import Foundation
import Glibc
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct AdoptionTests {
  private static let adoptedWithinSeconds = 10.0

  /// `sim`, which besides writes a numbered line now and then, whoever is there to hear it.
  private static let countingEngine = #"""
    kind: engine
    name: counting
    tasks: [chat]
    command:
      - sh
      - -c
      - >-
        n=0; while :; do n=$((n+1)); echo line $n; sleep 0.05; done &
        exec wharf-engine-sim --host=${host} --port=${port}
        --served-model-name=${servedModelName} "$@"
      - counting
    environment: {WHARF_ENGINE_KEY: "${engineKey}"}
    readiness: {path: /health, listsModel: true, periodMilliseconds: 100, deadlineSeconds: 120}
    stopGraceSeconds: 10
    """#

  private func site() async throws -> Site {
    let site = try Site()
    let database = try await TestCluster.shared().makeDatabase()
    try await site.startDaemon(on: database)
    try await site.startAgent()
    return site
  }

  /// The numbers that the engine of each attempt wrote into its log.
  private func lines(_ site: Site) throws -> [String: [Int]] {
    let attempts = "\(site.agentFolder(1))/attempts"
    return try Dictionary(
      uniqueKeysWithValues: FileManager.default.contentsOfDirectory(atPath: attempts).map { name in
        let log = try String(contentsOfFile: "\(attempts)/\(name)/engine.log", encoding: .utf8)
        // The last line may be half written.
        let whole = log.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return (name, whole.filter { $0.hasPrefix("line ") }.compactMap { Int($0.dropFirst(5)) })
      })
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func `engines of an agent that is gone serve on, write on, and are adopted by the next`(
    signal: Int32
  ) async throws {
    let site = try await site()
    try await site.startGateway()
    let file = site.folder.path("counting.yaml")
    try Data(Self.countingEngine.utf8).write(to: URL(filePath: file))
    try await site.done("engine", "define", "-f", file)
    try await site.onboard("xai", "grok-3")
    try await site.addVersion("xai/grok-3:2", engine: "counting")
    try await site.done(
      "deployment", "create", "grok", "--model", "xai/grok-3:2", "--replicas", "2", "--wait")
    let key = try await site.key(for: "xai/grok-3")
    try await site.answered(key, "xai/grok-3")
    let engines = site.engines
    #expect(engines.count == 2)
    let asker = Asker(site, key, "xai/grok-3")
    try await asker.goesOn()

    let (status, said) = try await site.stopped(Site.agent(1), by: signal)
    #expect(status == (signal == SIGKILL ? .signal(SIGKILL) : .code(0)), "\(said)")
    try await asker.goesOn()
    #expect(site.engines == engines, "they live without an agent")
    let before = try lines(site)
    #expect(before.count == 2)
    try await site.startAgent()
    try await eventually("both are adopted", withinSeconds: Self.adoptedWithinSeconds) {
      site.said(Site.agent(1)).ranges(of: "adopted").count == 2
    }
    try await site.expectRest()
    try await asker.goesOn()
    asker.expectNoFailure()
    #expect(site.engines == engines, "the same engines, all along")
    for (attempt, numbers) in try lines(site) {
      #expect(numbers == Array(1...max(1, numbers.count)), "nothing of \(attempt)'s log is lost")
      #expect(numbers.count > before[attempt]?.count ?? .max, "it goes on in the same file")
    }
    // The new one is in charge of old and new.
    try await site.done("deployment", "scale", "grok", "--replicas", "3", "--wait")
    #expect(site.engines.count == 3 && Set(engines).isSubset(of: site.engines))
    try await site.done("deployment", "delete", "grok")
    try await eventually("it ends them all") { site.engines.isEmpty }
    asker.end()
    let holdings = try site.holdings()
    #expect(holdings.starts.count == 3, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    try await site.end()
  }

  @Test func `what ended while no agent ran is told once, with how it ended`() async throws {
    let site = try await site()
    try await site.deploy(replicas: 3)
    let running = try site.holdings().holdings
    let (killed, ended, other) = (running[0], running[1], running[2])
    try await site.stop(Site.agent(1), by: SIGKILL)
    let killedAt = Int64(Date().timeIntervalSince1970 * 1_000_000)
    kill(killed.pid, SIGKILL)
    kill(ended.pid, SIGTERM)
    try await eventually("both are gone") { site.engines == [other.pid] }
    try await site.startAgent()
    try await eventually("others took their place") {
      try await site.done("why", "deployment", "grok").contains("all 3 replicas are ready")
    }
    try await site.expectRest()
    let changes = try await site.events("nodeReported").flatMap { event in
      (event["data"] as? [String: Any])?["attempts"] as? [[String: Any]] ?? []
    }
    func ends(of attempt: String) -> [[String: Any]] {
      changes.filter { $0["id"] as? String == attempt && $0["phase"] as? String == "ended" }
    }
    let ofKilled = ends(of: killed.attempt)
    #expect(ofKilled.count == 1 && ofKilled[0]["exitSignal"] as? Int == 9, "\(ofKilled)")
    let ofEnded = ends(of: ended.attempt)
    #expect(ofEnded.count == 1 && ofEnded[0]["exitCode"] as? Int == 0, "\(ofEnded)")
    #expect(ends(of: other.attempt).isEmpty)
    #expect(site.engines.contains(other.pid))
    let holdings = try site.holdings(killed: [killed.pid: killedAt])
    #expect(holdings.starts.count == 5, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    try await site.end()
  }

  @Test func `what was suspended or placed while no agent ran is stopped or started on its return`()
    async throws
  {
    let site = try await site()
    try await site.deploy(replicas: 2)
    let suspended = try site.holdings().holdings
    try await site.onboard("acme", "rocket")
    try await site.done(
      "deployment", "create", "rocket", "--model", "acme/rocket:1", "--replicas", "1", "--wait")
    let other = try #require(site.engines.first { pid in !suspended.map(\.pid).contains(pid) })
    try await site.stop(Site.agent(1), by: SIGKILL)
    try await site.done("provider", "suspend", "xai")
    try await site.done("deployment", "scale", "rocket", "--replicas", "2")
    try await eventually("both are decided") {
      let stopped = try await site.events("attemptsStopped").count
      let placed = try await site.events("replicasPlaced").count
      return stopped == 1 && placed == 3
    }
    // One dies as well while nobody looks.
    let killedAt = Int64(Date().timeIntervalSince1970 * 1_000_000)
    kill(suspended[0].pid, SIGKILL)
    try await eventually("it is gone") { site.engines == [suspended[1].pid, other].sorted() }
    try await site.startAgent()
    try await eventually("what may run does, and nothing else") {
      let now = site.engines
      return now.count == 2 && now.contains(other) && !now.contains(suspended[1].pid)
    }
    try await site.expectRest()
    #expect(site.engines.count == 2 && site.engines.contains(other))
    let holdings = try site.holdings(killed: [suspended[0].pid: killedAt])
    #expect(holdings.starts.count == 4, "\(holdings.starts)")
    #expect(holdings.starts.values.allSatisfy { $0 == 1 }, "\(holdings.starts)")
    #expect(holdings.conflicts.isEmpty, "\(holdings.conflicts)")
    #expect(try await site.node()["freeDevices"] as? Int == 2)
    try await site.end()
  }
}
