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
    #expect(fields.map(\.key) == ["arms", "ratios", "goals"])
    let arm = try #require(try fields[0].value.list().first).fields()
    #expect(arm.map(\.key) == ["name", "eventsPerSecond", "p50Milliseconds", "p99Milliseconds"])
    #expect(try arm[0].value.string() == "submit-256")
    let rate = try arm[1].value.fields()
    #expect(rate.map(\.key) == ["median", "min", "max"])
    #expect(try rate.map { try $0.value.number() } == [801, 800, 802])
    #expect(arm[2].value.isNull)
    let view = try #require(try fields[0].value.list().last).fields()
    #expect(try view[3].value.number() == 20)
    #expect(try fields[1].value.fields().map(\.key) == fields[2].value.fields().map(\.key))
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
