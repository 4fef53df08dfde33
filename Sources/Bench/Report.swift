// The outcome of a run: as a table for people, or as one JSON object.

import Hosting

/// What an arm came to, in one pass or in all of them.
package struct Figures: Sendable {
  package let eventsPerSecond: Double
  package let p50Milliseconds: Double?
  package let p99Milliseconds: Double?
  package let extras: [String: Double]

  /// - Parameter samples: at least one. Latencies are those of all; of the rest it is the median.
  init(_ samples: [Sample]) {
    eventsPerSecond = Spread(samples.map(\.eventsPerSecond)).median
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

package struct Report: Sendable {
  package struct Arm: Sendable {
    package let name: String
    package let whole: Figures
    package let passes: [Figures]

    package init(name: String, samples: [Sample]) {
      self.name = name
      whole = Figures(samples)
      passes = samples.map { Figures([$0]) }
    }

    package var eventsPerSecond: Spread { Spread(passes.map(\.eventsPerSecond)) }
  }

  package struct Voided: Sendable {
    package let name: String
    package let faults: [String]

    package init(name: String, faults: [String]) {
      self.name = name
      self.faults = faults
    }
  }

  /// None of a report that is put together without a run.
  package var circumstances: Circumstances?
  package var arms: [Arm] = []
  package var voided: [Voided] = []

  package init() {}

  package subscript(name: String) -> Arm? { arms.first { $0.name == name } }
}

// MARK: Texts

extension Report {
  /// `{"arms": […], "ratios": {…}, "goals": {…}, "spreads": {…}, "circumstances": {…}}`; a figure that an
  /// arm does not have is null. The spread of a ratio is that of its passes.
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
      writer.key(ratio.name)
      writer.number(ratio.goal.rounded(toPlaces: 3))
    }
    writer.closeObject()
    writer.key("spreads")
    writer.openObject()
    for ratio in ratios {
      writer.key(ratio.name)
      writer.spread([("min", ratio.passes.min), ("max", ratio.passes.max)], places: 3)
    }
    writer.closeObject()
    if let circumstances {
      writer.key("circumstances")
      circumstances.write(to: &writer)
    }
    writer.closeObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  package var table: String {
    var lines = [
      Self.line("arm", ["events/s", "min", "max", "p50 ms", "p99 ms"]) + "  besides"
    ]
    for arm in arms {
      let rates = [arm.eventsPerSecond.median, arm.eventsPerSecond.min, arm.eventsPerSecond.max]
      let times = [arm.whole.p50Milliseconds, arm.whole.p99Milliseconds]
      let besides = arm.whole.extras.sorted { $0.key < $1.key }
        .map { "\($0.key) \(Self.text($0.value, places: 1))" }
      lines.append(
        Self.line(
          arm.name,
          rates.map { Self.text($0, places: $0 < 100 ? 1 : 0) }
            + times.map { $0.map { Self.text($0, places: 3) } ?? "" })
          + (besides.isEmpty ? "" : "  " + besides.joined(separator: ", ")))
    }
    lines += ["", Self.line("ratio (more is better)", ["is", "min", "max", "goal"])]
    for ratio in ratios {
      let values = [ratio.value, ratio.passes.min, ratio.passes.max, ratio.goal]
      lines.append(
        Self.line(ratio.name, values.map { Self.text($0, places: 2) })
          + (ratio.holds ? "" : "  missed"))
    }
    lines.append("is: of all passes together; min and max: of single passes")
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
    let rate = eventsPerSecond
    writer.spread([("median", rate.median), ("min", rate.min), ("max", rate.max)], places: 1)
    for (key, value) in [
      ("p50Milliseconds", whole.p50Milliseconds), ("p99Milliseconds", whole.p99Milliseconds),
    ] {
      writer.key(key)
      if let value { writer.number(value.rounded(toPlaces: 4)) } else { writer.null() }
    }
    writer.closeObject()
  }
}

extension JSONWriter {
  fileprivate mutating func spread(_ values: [(String, Double)], places: Int) {
    openObject()
    for (key, value) in values {
      self.key(key)
      number(value.rounded(toPlaces: places))
    }
    closeObject()
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
