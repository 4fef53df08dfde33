// The outcome of a run: as a table for people, or as one JSON object.

import Hosting

package struct Report: Sendable {
  package struct Arm: Sendable {
    package let name: String
    package let eventsPerSecond: Spread
    package let p50Milliseconds: Double?
    package let p99Milliseconds: Double?
    package let extras: [String: Double]

    package init(name: String, samples: [Sample]) {
      self.name = name
      eventsPerSecond = Spread(samples.map(\.eventsPerSecond))
      let latencies = samples.flatMap(\.latencies)
      p50Milliseconds = Percentile.of(0.5, latencies).map { Double($0) / 1e6 }
      p99Milliseconds = Percentile.of(0.99, latencies).map { Double($0) / 1e6 }
      var extras: [String: Double] = [:]
      for name in Set(samples.flatMap(\.extras.keys)) {
        extras[name] = Spread(samples.compactMap { $0.extras[name] }).median
      }
      self.extras = extras
    }
  }

  package struct Voided: Sendable {
    package let name: String
    package let faults: [String]

    package init(name: String, faults: [String]) {
      self.name = name
      self.faults = faults
    }
  }

  package var arms: [Arm] = []
  package var voided: [Voided] = []

  package init() {}

  package subscript(name: String) -> Arm? { arms.first { $0.name == name } }
}

/// A ratio of this run, more being better, and what it is to be at least.
package struct Ratio: Sendable {
  package let name: String
  package let value: Double
  package let goal: Double?

  package var holds: Bool { goal.map { value >= $0 } ?? true }
}

extension Report {
  /// The ratios whose arms all ran.
  package var ratios: [Ratio] {
    [
      rates("submit-256 / unnest", "submit-256", "unnest", goal: 0.8),
      rates("submit-16 / insert-16", "submit-16", "insert-16", goal: 1.5),
      medians("latency insert-1 / submit-1", "insert-1", "submit-1", goal: 1 / 1.5),
      ratio("view: 10 ms / p99", self["view"]?.p99Milliseconds.map { 10 / $0 }, goal: 1),
      rates("read / copy", "read", "copy", goal: 0.5),
      ratio("fold / 300,000 a second", self["fold"].map(Self.per(300_000)), goal: 1),
      ratio("verify / 300,000 a second", self["verify"].map(Self.per(300_000)), goal: 1),
      ratio("start: 2 s / ready", self["start"]?.p50Milliseconds.map { 2_000 / $0 }, goal: 1),
      ratio(
        "start: 500 MB / memory", self["start"]?.extras["megabytes"].map { 500 / $0 }, goal: 1),
      rates("submit-16 / message-db-16", "submit-16", "message-db-16", goal: 1),
      rates("submit-1 / eventsourcing", "submit-1", "eventsourcing", goal: 1),
    ].compactMap { $0 }
  }

  private static func per(_ rate: Double) -> (Arm) -> Double {
    { $0.eventsPerSecond.median / rate }
  }

  private func ratio(_ name: String, _ value: Double?, goal: Double) -> Ratio? {
    value.map { Ratio(name: name, value: $0, goal: goal) }
  }

  private func rates(_ name: String, _ above: String, _ below: String, goal: Double) -> Ratio? {
    guard let above = self[above], let below = self[below] else { return nil }
    return ratio(name, above.eventsPerSecond.median / below.eventsPerSecond.median, goal: goal)
  }

  /// Of latencies, so the shorter one stands below.
  private func medians(_ name: String, _ above: String, _ below: String, goal: Double) -> Ratio? {
    guard let above = self[above]?.p50Milliseconds, let below = self[below]?.p50Milliseconds
    else { return nil }
    return ratio(name, above / below, goal: goal)
  }
}

// MARK: Texts

extension Report {
  /// `{"arms": […], "ratios": {…}, "goals": {…}}`; a figure that an arm does not have is null.
  package var json: String {
    var writer = JSONWriter()
    writer.openObject()
    writer.key("arms")
    writer.openList()
    for arm in arms { arm.write(to: &writer) }
    writer.closeList()
    writer.key("ratios")
    writer.openObject()
    for ratio in ratios {
      writer.key(ratio.name)
      writer.number(ratio.value.rounded(toPlaces: 3))
    }
    writer.closeObject()
    writer.key("goals")
    writer.openObject()
    for ratio in ratios {
      guard let goal = ratio.goal else { continue }
      writer.key(ratio.name)
      writer.number(goal.rounded(toPlaces: 3))
    }
    writer.closeObject()
    writer.closeObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  package var table: String {
    var lines = [
      Self.line("arm", ["events/s", "min", "max", "p50 ms", "p99 ms"]) + "  besides"
    ]
    for arm in arms {
      let rates = [arm.eventsPerSecond.median, arm.eventsPerSecond.min, arm.eventsPerSecond.max]
      let times = [arm.p50Milliseconds, arm.p99Milliseconds]
      let besides = arm.extras.sorted { $0.key < $1.key }
        .map { "\($0.key) \(Self.text($0.value, places: 1))" }
      lines.append(
        Self.line(
          arm.name,
          rates.map { Self.text($0, places: $0 < 100 ? 1 : 0) }
            + times.map { $0.map { Self.text($0, places: 3) } ?? "" })
          + (besides.isEmpty ? "" : "  " + besides.joined(separator: ", ")))
    }
    lines += ["", Self.line("ratio (more is better)", ["is", "goal"])]
    for ratio in ratios {
      let goal = ratio.goal.map { Self.text($0, places: 2) } ?? ""
      lines.append(
        Self.line(ratio.name, [Self.text(ratio.value, places: 2), goal])
          + (ratio.holds ? "" : "  missed"))
    }
    for arm in voided {
      lines += ["", "VOID \(arm.name): \(arm.faults.joined(separator: "; "))"]
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ name: String, _ cells: [String]) -> String {
    name.padded(to: 30) + cells.map { $0.padded(to: -11) }.joined()
  }

  private static func text(_ value: Double, places: Int) -> String {
    let rounded = value.rounded(toPlaces: places)
    if places == 0 { return "\(Int64(rounded))" }
    let parts = "\(rounded)".split(separator: ".")
    let decimals = parts.count > 1 ? String(parts[1]) : ""
    return "\(parts[0]).\(decimals.padding(zerosTo: places))"
  }
}

extension Report.Arm {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.openObject()
    writer.key("name")
    writer.string(name)
    writer.key("eventsPerSecond")
    writer.openObject()
    for (key, value) in [
      ("median", eventsPerSecond.median), ("min", eventsPerSecond.min),
      ("max", eventsPerSecond.max),
    ] {
      writer.key(key)
      writer.number(value.rounded(toPlaces: 1))
    }
    writer.closeObject()
    for (key, value) in [
      ("p50Milliseconds", p50Milliseconds), ("p99Milliseconds", p99Milliseconds),
    ] {
      writer.key(key)
      if let value { writer.number(value.rounded(toPlaces: 4)) } else { writer.null() }
    }
    writer.closeObject()
  }
}

extension Double {
  func rounded(toPlaces places: Int) -> Double {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return (self * scale).rounded() / scale
  }
}

extension String {
  /// To the left, or with a negative width to the right.
  fileprivate func padded(to width: Int) -> String {
    let space = String(repeating: " ", count: Swift.max(0, abs(width) - count))
    return width < 0 ? space + self : self + space
  }

  fileprivate func padding(zerosTo places: Int) -> String {
    self + String(repeating: "0", count: Swift.max(0, places - count))
  }
}
