// Medians, percentiles, the order of arms, and the two forms of a report.

import Hosting
import Synchronization
import Testing

@testable import Bench

@Suite struct ReportTests {
  @Test func `a spread is the middle and both ends`() {
    #expect(Spread([3, 1, 2]).median == 2)
    #expect(Spread([4, 1, 2, 3]).median == 2.5)
    #expect(Spread([5, 1, 3]).min == 1)
    #expect(Spread([5, 1, 3]).max == 5)
  }

  @Test func `a percentile is a value that was measured`() {
    let hundred = (1...100).map { Int64($0) }.shuffled()
    #expect(Percentile.of(0.5, hundred) == 50)
    #expect(Percentile.of(0.99, hundred) == 99)
    #expect(Percentile.of(1, hundred) == 100)
    #expect(Percentile.of(0.99, [7]) == 7)
    #expect(Percentile.of(0.5, []) == nil)
  }

  private var report: Report {
    func arm(_ name: String, _ rate: Int, milliseconds: Int64? = nil) -> Report.Arm {
      Report.Arm(
        name: name,
        samples: [rate, rate + 2, rate + 1].map { events in
          Sample(
            events: events, seconds: 1, latencies: milliseconds.map { [$0 * 1_000_000] } ?? [])
        })
    }
    var report = Report()
    report.arms = [
      arm("submit-256", 800), arm("unnest", 1_000), arm("submit-1", 10, milliseconds: 3),
      arm("insert-1", 20, milliseconds: 1), arm("read", 500), arm("copy", 999),
      arm("view", 2_000, milliseconds: 20),
    ]
    return report
  }

  @Test func `the JSON form has the shape that readers count on`() throws {
    let value = try JSONValue(document: Array(report.json.utf8))
    let fields = try value.fields()
    #expect(fields.map(\.key) == ["arms", "ratios", "goals", "spreads"])
    let arm = try #require(try fields[0].value.list().first).fields()
    #expect(arm.map(\.key) == ["name", "eventsPerSecond", "p50Milliseconds", "p99Milliseconds"])
    #expect(try arm[0].value.string() == "submit-256")
    let rate = try arm[1].value.fields()
    #expect(rate.map(\.key) == ["median", "min", "max"])
    #expect(try rate.map { try $0.value.number() } == [801, 800, 802])
    #expect(arm[2].value.isNull)
    let view = try #require(try fields[0].value.list().last).fields()
    #expect(try view[3].value.number() == 20)
    for other in fields[2...] {
      #expect(try fields[1].value.fields().map(\.key) == other.value.fields().map(\.key))
    }
    let spread = try #require(try fields[3].value.fields().first).value.fields()
    #expect(spread.map(\.key) == ["min", "max"])
  }

  @Test func `the spread of a ratio is that of its passes, each measured with its own arms`() {
    func arm(_ name: String, _ rates: [Int], milliseconds: [Int64]) -> Report.Arm {
      Report.Arm(
        name: name,
        samples: zip(rates, milliseconds).map { rate, time in
          Sample(events: rate, seconds: 1, latencies: [time * 1_000_000])
        })
    }
    var report = Report()
    report.arms = [
      arm("submit-1", [100, 30, 80], milliseconds: [1, 3, 2]),
      arm("eventsourcing", [50, 20, 10], milliseconds: [2, 2, 2]),
      arm("insert-1", [1, 1, 1], milliseconds: [2, 3, 1]),
      arm("view", [1, 1, 1], milliseconds: [5, 20, 2]),
    ]
    let ratios = Dictionary(uniqueKeysWithValues: report.ratios.map { ($0.name, $0) })
    #expect(ratios["submit-1 / eventsourcing"]?.value == 80.0 / 20)
    #expect(ratios["submit-1 / eventsourcing"]?.passes == Spread([2, 1.5, 8]))
    #expect(ratios["latency insert-1 / submit-1"]?.value == 1)
    #expect(ratios["latency insert-1 / submit-1"]?.passes == Spread([2, 1, 0.5]))
    #expect(ratios["view: 10 ms / p99"]?.value == 0.5)
    #expect(ratios["view: 10 ms / p99"]?.passes == Spread([2, 0.5, 5]))
    let line = report.table.split(separator: "\n")
      .first { $0.hasPrefix("submit-1 / eventsourcing") }
    #expect(line?.split(separator: " ").suffix(4).joined(separator: " ") == "4.00 1.50 8.00 1.00")
  }

  @Test func `against an arm that did nothing there is no ratio`() throws {
    var report = Report()
    report.arms = [("read", 5), ("copy", 0)].map { name, events in
      Report.Arm(name: name, samples: [Sample(events: events, seconds: 1)])
    }
    #expect(report.ratios.isEmpty)
    _ = try JSONValue(document: Array(report.json.utf8))
  }

  @Test func `more is better in every ratio`() {
    let ratios = Dictionary(uniqueKeysWithValues: report.ratios.map { ($0.name, $0) })
    #expect(abs((ratios["submit-256 / unnest"]?.value ?? 0) - 0.8) < 0.01)
    #expect(abs((ratios["latency insert-1 / submit-1"]?.value ?? 0) - 1.0 / 3) < 0.01)
    #expect(ratios["latency insert-1 / submit-1"]?.holds == false)
    #expect(ratios["view: 10 ms / p99"]?.value == 0.5)
    #expect(ratios["read / copy"]?.holds == true)
    #expect(ratios["verify / 300,000 a second"] == nil)
  }

  @Test func `a missed goal is marked in the table`() {
    let lines = report.table.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("view: 10 ms / p99") && $0.hasSuffix("missed") })
    #expect(lines.contains { $0.hasPrefix("submit-256 / unnest") && !$0.hasSuffix("missed") })
  }

  @Test func `arms run forwards, then backwards`() async throws {
    struct Noting: Arm {
      let name: String
      let order: Order

      func run() async throws -> Sample {
        order.names.withLock { $0.append(name) }
        return Sample(events: 1, seconds: 1)
      }
    }
    final class Order: Sendable { let names = Mutex<[String]>([]) }
    let order = Order()
    var settings = LogBench.Settings()
    settings.rounds = 2
    let bench = LogBench(settings, on: try Cluster.existing("postgres:///none")) { _ in }
    _ = await bench.measure(["a", "b"].map { Noting(name: $0, order: order) })
    #expect(order.names.withLock { $0 } == ["a", "b", "b", "a", "a", "b", "b", "a"])
  }
}
