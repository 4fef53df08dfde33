// What a run on a world came to: each cost with its goal, and the same in a tenth of the world.

import Hosting

package struct ScaleRow: Sendable {
  package let name: String
  /// `ms`, `s`, `bytes`, `MB`, a number of times.
  package let unit: String
  package let value: Double
  /// No more than this; or, of a share, no less.
  package let goal: Double
  package var atLeast = false
  /// Does not grow with what exists.
  package var isFlat = true
  package var note = ""

  package var holds: Bool { atLeast ? value >= goal : value <= goal }
}

package struct ScaleReport: Sendable {
  /// Within so many times a cost counts as flat.
  package static let flatTimes = 1.5

  package let size: ScaleSize
  package let rows: [ScaleRow]
  /// Of a tenth of the world, by name.
  package let small: [String: Double]

  package init(size: ScaleSize, rows: [ScaleRow], small: [ScaleRow]) {
    self.size = size
    self.rows = rows
    self.small = Dictionary(small.map { ($0.name, $0.value) }) { first, _ in first }
  }

  private func times(_ row: ScaleRow) -> Double? {
    guard row.isFlat, !row.atLeast, let before = small[row.name], before > 0 else { return nil }
    return row.value / before
  }

  package var table: String {
    let header = Self.line("what", ["is", "goal", "in a tenth", "times"])
    let lines = rows.map { row in
      let before = small[row.name].map { Self.text($0, row.unit) } ?? ""
      let grown = times(row)
      let words =
        [row.holds ? "" : "missed", (grown ?? 0) > Self.flatTimes ? "grows" : "", row.note]
        .filter { !$0.isEmpty }
      return Self.line(
        row.name,
        [
          Self.text(row.value, row.unit),
          (row.atLeast ? "≥ " : "≤ ") + Self.text(row.goal, row.unit), before,
          grown.map { "\(($0 * 100).rounded() / 100)" } ?? "",
        ]) + (words.isEmpty ? "" : "  " + words.joined(separator: "; "))
    }
    return ([header] + lines).joined(separator: "\n")
  }

  /// `{"rows": [{"name", "unit", "value", "goal", "holds", "small", "times"}], "size": "…"}`
  package var json: String {
    var writer = JSONWriter()
    writer.openObject()
    writer.key("size")
    writer.string(size.text)
    writer.key("rows")
    writer.openList()
    for row in rows {
      writer.openObject()
      writer.key("name")
      writer.string(row.name)
      writer.key("unit")
      writer.string(row.unit)
      writer.key("value")
      writer.number(row.value.rounded(toPlaces: 3))
      writer.key("goal")
      writer.number(row.goal)
      writer.key("atLeast")
      writer.boolean(row.atLeast)
      writer.key("holds")
      writer.boolean(row.holds)
      writer.key("small")
      if let small = small[row.name] {
        writer.number(small.rounded(toPlaces: 3))
      } else {
        writer.null()
      }
      writer.key("times")
      if let times = times(row) { writer.number(times.rounded(toPlaces: 3)) } else { writer.null() }
      writer.closeObject()
    }
    writer.closeList()
    writer.closeObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private static func line(_ name: String, _ cells: [String]) -> String {
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    return pad(name, 52)
      + cells.map { String(repeating: " ", count: max(1, 14 - $0.count)) + $0 }.joined()
  }

  private static func text(_ value: Double, _ unit: String) -> String {
    let places = value < 10 ? 2 : value < 100 ? 1 : 0
    let rounded = value.rounded(toPlaces: places)
    let digits = places == 0 ? "\(Int64(rounded))" : "\(rounded)"
    return unit.isEmpty ? digits : "\(digits) \(unit)"
  }
}
