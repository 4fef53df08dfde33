// All arms once, small, on a real private cluster. What they measure is not looked at.

import Foundation
import Hosting
import TestTools
import Testing

@testable import Bench

@Suite(.turn, .bounded) struct WholeRunTests {
  @Test func `every arm runs and no event is missed, doubled or reordered`() async throws {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    var settings = LogBench.Settings()
    settings.seconds = 0.2
    settings.events = 2_000
    settings.rounds = 1
    settings.wharfd = builtProgram("wharfd")
    let report = try await LogBench(settings, on: cluster) { _ in }.run()
    #expect(report.voided.isEmpty, "\(report.voided)")
    #expect(report.arms.map(\.name).sorted() == LogBench.armNames.sorted())
    let goals = ["submit-256 / unnest", "submit-16 / insert-16", "latency insert-1 / submit-1"]
    #expect(goals.allSatisfy { name in report.ratios.contains { $0.name == name } })
  }

  @Test func `what goes with a run is told first, and stands in its report`() async throws {
    let cluster = try Cluster.made(fsync: true)
    defer { cluster.remove() }
    var settings = LogBench.Settings()
    (settings.seconds, settings.events, settings.rounds) = (0.2, 1_000, 3)
    // None at all: this is about what stands beside them.
    settings.arms = ["none"]
    let told = Told()
    let before = Timestamp.wall
    let report = try await LogBench(settings, on: cluster) { told.add($0) }.run()
    let circumstances = try #require(report.circumstances)
    #expect((before...Timestamp.wall).contains(circumstances.date))
    #expect(Array(told.lines.prefix(circumstances.lines.count)) == circumstances.lines)
    let text = circumstances.lines.joined(separator: "\n")
    let (kernel, cores) = (
      try Self.output("uname", "-srm"), try Self.output("getconf", "_NPROCESSORS_ONLN")
    )
    #expect(text.contains(", \(kernel), load "))
    #expect(text.contains(", \(cores) cores, "))
    #expect(text.contains("fsync on, synchronous_commit on, wal_sync_method fdatasync"))
    #expect(text.contains("pg_test_fsync, one 8 kB write:"))
    #expect(text.contains("ops/sec"))
    #expect(text.contains("6 passes of 0.2 s an arm, a log of 1000 events"))
    let json = try JSONValue(document: Array(report.json.utf8)).fields()
    let fields = try #require(json.first { $0.key == "circumstances" }).value.fields()
    #expect(try fields.first { $0.key == "kernel" }?.value.string() == kernel)
    #expect(try fields.first { $0.key == "date" }?.value.string() == "\(circumstances.date)")
  }

  /// What another program says of this machine.
  private static func output(_ command: String...) throws -> String {
    let log = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: log) }
    #expect(try ChildProcess.run(command, in: "/", log: log, withinSeconds: 120) == 0)
    return TextFile.tail(log)
  }
}
