// What is not ours, small, on a real private cluster: the library `eventsourcing`, installed by
// Deploy/install-bench-peers into .venv-peers, and message-db, where WHARF_MESSAGE_DB names a folder of its
// release. Where one is absent, its tests say so and are skipped. What they measure is not looked at.

import Foundation
import Postgres
import Synchronization
import TestTools
import Testing

@testable import Bench

private enum Peers {
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let environment = repository.appendingPathComponent(".venv-peers").path
  static let python = environment + "/bin/python"
  static let noEventsourcing: Comment =
    "no peer is installed: ./Deploy/install-bench-peers does so (CONTRIBUTING.md)"
  static var messageDB: String? { ProcessInfo.processInfo.environment["WHARF_MESSAGE_DB"] }
  static let noMessageDB: Comment =
    "no message-db is here: WHARF_MESSAGE_DB names a folder of its release (CONTRIBUTING.md)"
}

extension Trait where Self == ConditionTrait {
  fileprivate static var eventsourcing: Self {
    .enabled(Peers.noEventsourcing) {
      FileManager.default.fileExists(atPath: "\(Peers.environment)/installed")
    }
  }
  fileprivate static var messageDB: Self {
    .enabled(Peers.noMessageDB) { Peers.messageDB != nil }
  }
}

/// Is over after so many appends.
private final class Countdown: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  @Sendable func isOver() -> Bool {
    left.withLock { left in
      defer { left -= 1 }
      return left == 0
    }
  }
}

@Suite(.serialized, .turn, .bounded) struct PeerTests {
  private func run(
    _ arms: [String], _ change: (inout LogBench.Settings) -> Void
  ) async throws -> Report {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    var settings = LogBench.Settings()
    settings.seconds = 0.3
    settings.events = 1_000
    settings.rounds = 1
    settings.arms = arms
    change(&settings)
    let told = Told()
    let report = try await LogBench(settings, on: cluster) { told.add($0) }.run()
    #expect(report.voided.isEmpty, "\(report.voided)")
    #expect(report.arms.map(\.name) == arms, "\(told.lines)")
    for arm in report.arms { #expect(arm.eventsPerSecond.min > 0, "\(arm)") }
    return report
  }

  private func expect(
    _ name: String, of above: String, to below: String, in report: Report
  ) throws {
    let ratio = try #require(report.ratios.first { $0.name == name })
    let rates = try [above, below].map { try #require(report[$0]).eventsPerSecond.median }
    #expect(ratio.value == rates[0] / rates[1], "more is better")
    #expect(report.table.contains("\n\(name) "))
    #expect(report.json.contains("\"\(name)\":"))
  }

  @Test(.eventsourcing) func `eventsourcing saves what it counts, and the ratio is told`()
    async throws
  {
    let report = try await run(["submit-1", "eventsourcing"]) {
      $0.eventsourcing = true
      $0.python = Peers.python
    }
    #expect(report.circumstances?.peers.map(\.name) == ["eventsourcing"])
    #expect(try #require(report["eventsourcing"]?.whole.p50Milliseconds) > 0)
    try expect("submit-1 / eventsourcing", of: "submit-1", to: "eventsourcing", in: report)
  }

  @Test(.eventsourcing) func `a save that eventsourcing lost or swapped voids its arm`()
    async throws
  {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    let arm = try #require(
      try PythonEventsourcing.prepare(python: Peers.python, cluster, seconds: 0.3) { _ in })
    #expect(PythonEventsourcing.requirements[0].hasSuffix("==\(arm.version.prefix { $0 != "," })"))
    let saved = try await arm.run().events
    let database = cluster.configuration(PythonEventsourcing.database)
    try PythonEventsourcing.check(database, saved: saved)
    #expect(throws: VoidedArm.self) { try PythonEventsourcing.check(database, saved: saved + 1) }
    var connection = try Connection(database)
    try connection.script(
      """
      UPDATE bench_events SET notification_id = -notification_id WHERE notification_id IN (2, 3)
      """)
    #expect(throws: VoidedArm.self) { try PythonEventsourcing.check(database, saved: saved) }
  }

  @Test(.messageDB) func `message-db stores what it acknowledges, and the ratio is told`()
    async throws
  {
    let report = try await run(["submit-16", "message-db-1", "message-db-16"]) {
      $0.messageDB = Peers.messageDB
    }
    try expect("submit-16 / message-db-16", of: "submit-16", to: "message-db-16", in: report)
  }

  @Test(.messageDB) func `each pass of message-db begins with an empty store`() async throws {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    let release = try #require(Peers.messageDB)
    let peer = try #require(
      try MessageDB.prepare(release, cluster) { Issue.record("\($0)") })
    #expect(peer.version.split(separator: ".").count == 3, "\(peer.version)")
    for _ in 0..<2 {
      let store = try await peer.store()
      let acknowledged = try await store.produce(0, isOver: Countdown(3).isOver)
      let stored = try await store.readBack()
      #expect(stored.map(\.id) == acknowledged.map(\.id))
      #expect(stored.map(\.position) == [1, 2, 3])
    }
  }

  @Test func `a folder that is no release of message-db is left out, and said so`() throws {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    var told: [String] = []
    #expect(try MessageDB.prepare("/usr", cluster) { told.append($0) } == nil)
    #expect(told.map { $0.contains("no install.sh in /usr") } == [true], "\(told)")
  }

  @Test func `an interpreter without the library is left out, and said so`() throws {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    var told: [String] = []
    let arm = try PythonEventsourcing.prepare(python: "/bin/false", cluster, seconds: 1) {
      told.append($0)
    }
    #expect(arm == nil)
    #expect(told.map { $0.hasPrefix("eventsourcing is left out: /bin/false") } == [true], "\(told)")
  }

  @Test func `the script that installs a peer and the bench name one version`() throws {
    let script = try String(
      contentsOf: Peers.repository.appendingPathComponent("Deploy/install-bench-peers"),
      encoding: .utf8)
    for requirement in PythonEventsourcing.requirements {
      #expect(script.contains("'\(requirement)'"))
    }
  }
}
