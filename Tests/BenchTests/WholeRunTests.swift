// All arms once, small, on a real private cluster. What they measure is not looked at.

import Foundation
import Testing

@testable import Bench

@Suite struct WholeRunTests {
  /// The wharfd of this build, beside the tests.
  private static func wharfd() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folders = [
      (own as NSString).deletingLastPathComponent,
      FileManager.default.currentDirectoryPath + "/.build/debug",
    ]
    return try #require(
      folders.map { "\($0)/wharfd" }.first { FileManager.default.isExecutableFile(atPath: $0) })
  }

  @Test func `every arm runs and no event is missed, doubled or reordered`() async throws {
    let cluster = try Cluster.made(fsync: false)
    defer { cluster.remove() }
    var settings = LogBench.Settings()
    settings.seconds = 0.2
    settings.events = 2_000
    settings.rounds = 1
    settings.wharfd = try Self.wharfd()
    let report = try await LogBench(settings, on: cluster) { _ in }.run()
    #expect(report.voided.isEmpty, "\(report.voided)")
    #expect(report.arms.map(\.name).sorted() == LogBench.armNames.sorted())
    let goals = ["submit-256 / unnest", "submit-16 / insert-16", "latency insert-1 / submit-1"]
    #expect(goals.allSatisfy { name in report.ratios.contains { $0.name == name } })
  }

  @Test func `what goes with a run is told first`() async throws {
    let cluster = try Cluster.made(fsync: true)
    defer { cluster.remove() }
    let circumstances = try cluster.circumstances().joined()
    #expect(circumstances.contains("fsync on, synchronous_commit on"))
  }
}
