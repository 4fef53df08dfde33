// What the gateway counts, in Prometheus' text format. The number of series is bounded: only names
// out of the policy become labels. Names are shown to scrapers who may know them, totals to anyone,
// so that an embargoed model cannot be read off here.

import Hosting
import Synchronization

final class GatewayMetrics: Sendable {
  private struct Series: Hashable {
    /// Empty where the client may not know the model, or none was found.
    let model: String
    let team: String
    let code: Int
  }
  private struct Histogram {
    var counts = [Int](repeating: 0, count: GatewayMetrics.boundsSeconds.count)
    var total = 0
    var sumSeconds = 0.0
  }
  private struct State {
    var requests: [Series: Int] = [:]
    var firstByte: [String: Histogram] = [:]
    var engineFailures = 0
    var disbeliefs = 0
    var alarms = 0
  }

  static let boundsSeconds: [Double] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
  ]

  private let state = Mutex(State())
  private let limits: GatewayLimits

  init(limits: GatewayLimits) { self.limits = limits }

  func count(model: String?, team: Stream?, code: Int) {
    let series = Series(model: model ?? "", team: team?.description ?? "", code: code)
    state.withLock { state in
      let known = state.requests[series] != nil || state.requests.count < limits.metricSeries
      state.requests[known ? series : Series(model: "", team: "", code: code), default: 0] += 1
    }
  }

  func observeFirstByte(model: String, _ duration: Duration) {
    let seconds = duration.inSeconds
    state.withLock { state in
      let known = state.firstByte[model] != nil || state.firstByte.count < limits.metricSeries
      var histogram = state.firstByte[known ? model : ""] ?? Histogram()
      if let bucket = Self.boundsSeconds.firstIndex(where: { seconds <= $0 }) {
        histogram.counts[bucket] += 1
      }
      histogram.total += 1
      histogram.sumSeconds += seconds
      state.firstByte[known ? model : ""] = histogram
    }
  }

  func countFailure() { state.withLock { $0.engineFailures += 1 } }
  func countDisbelief() { state.withLock { $0.disbeliefs += 1 } }
  func countAlarm() { state.withLock { $0.alarms += 1 } }

  /// - Parameter named: With the names of models and teams.
  func text(_ reading: Gate.Reading, named: Bool) -> String {
    let state = state.withLock { $0 }
    var page = Page()
    page.family("wharf_gateway_requests_total", "counter", "Requests answered, by status code.")
    var requests: [Series: Int] = [:]
    for (series, count) in state.requests {
      requests[named ? series : Series(model: "", team: "", code: series.code), default: 0] += count
    }
    for (series, count) in requests.sorted(by: { Self.precedes($0.key, $1.key) }) {
      let names = named ? [("model", series.model), ("team", series.team)] : []
      page.line(names + [("code", String(series.code))], String(count))
    }
    page.family("wharf_gateway_in_flight", "gauge", "Requests being answered.")
    page.line([], String(reading.inFlight))
    page.family("wharf_gateway_engine_failures_total", "counter", "Tries that an engine failed.")
    page.line([], String(state.engineFailures))
    page.family(
      "wharf_gateway_usage_disbelieved_total", "counter",
      "Answers whose engine said that they took what no answer can.")
    page.line([], String(state.disbeliefs))
    page.family("wharf_gateway_policy_position", "gauge", "The position of the policy in force.")
    page.line([], String(reading.position.value))
    page.family("wharf_gateway_lease_seconds", "gauge", "What is left of the policy lease.")
    page.line([], String(reading.leaseLeft.inSeconds))
    page.family(
      "wharf_gateway_serving_seconds", "gauge", "What is left of the lease and the grace after it.")
    page.line([], String(reading.servingLeft.inSeconds))
    page.family("wharf_gateway_alarms_total", "counter", "Contradictions in what was heard.")
    page.line([], String(state.alarms))
    Self.write(state.firstByte, named: named, to: &page)
    return page.text
  }

  private static func write(
    _ histograms: [String: Histogram], named: Bool, to page: inout Page
  ) {
    var merged: [String: Histogram] = [:]
    for (model, histogram) in histograms {
      var sum = merged[named ? model : ""] ?? Histogram()
      for bucket in sum.counts.indices { sum.counts[bucket] += histogram.counts[bucket] }
      sum.total += histogram.total
      sum.sumSeconds += histogram.sumSeconds
      merged[named ? model : ""] = sum
    }
    page.family(
      "wharf_gateway_first_byte_seconds", "histogram", "From the request to its first byte.")
    for (model, histogram) in merged.sorted(by: { $0.key < $1.key }) {
      let labels = named ? [("model", model)] : []
      var below = 0
      for (bound, count) in zip(boundsSeconds, histogram.counts) {
        below += count
        page.line(labels + [("le", String(bound))], String(below), suffix: "_bucket")
      }
      page.line(labels + [("le", "+Inf")], String(histogram.total), suffix: "_bucket")
      page.line(labels, String(histogram.sumSeconds), suffix: "_sum")
      page.line(labels, String(histogram.total), suffix: "_count")
    }
  }

  private static func precedes(_ a: Series, _ b: Series) -> Bool {
    (a.model, a.team, a.code) < (b.model, b.team, b.code)
  }

  private struct Page {
    private(set) var text = ""
    private var name = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
      self.name = name
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    /// Label values are names and numbers: nothing in them needs escaping.
    mutating func line(_ labels: [(String, String)], _ value: String, suffix: String = "") {
      let written = labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
      text += "\(name)\(suffix)\(labels.isEmpty ? "" : "{\(written)}") \(value)\n"
    }
  }
}
