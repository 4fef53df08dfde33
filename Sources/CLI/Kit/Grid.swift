// Tables as text: columns as wide as what stands in them, narrowed until a line fits.

import Hosting

struct Cell: Equatable, Sendable, ExpressibleByStringLiteral {
  let text: String
  let tint: Tint?

  init(_ text: String, _ tint: Tint? = nil) {
    self.text = Misleading.shown(text)
    self.tint = tint
  }

  init(_ text: String?) { self.init(text ?? "-", nil) }

  init(_ value: Int) { self.init(String(value)) }

  init(_ value: Int?) { self.init(value.map { String($0) }) }

  init(stringLiteral text: String) { self.init(text) }
}

struct Grid: Sendable {
  static let gap = 2
  /// A column is not made narrower than this while another is wider.
  static let narrowestColumn = 6

  var titles: [String]
  var rows: [[Cell]]

  /// Lines of at most `width` characters; of any length without one.
  func lines(_ terminal: Terminal, fitting: Bool = true) -> [String] {
    let widths = columnWidths(upTo: fitting ? terminal.width : nil)
    let head = line(titles.map { Cell($0, .dim) }, widths, terminal)
    return [head] + rows.map { line($0, widths, terminal) }
  }

  private func columnWidths(upTo limit: Int?) -> [Int] {
    var widths = titles.map(TextWidth.columns)
    for row in rows {
      for (index, cell) in row.enumerated() {
        widths[index] = max(widths[index], TextWidth.columns(cell.text))
      }
    }
    guard let limit, !widths.isEmpty else { return widths }
    let most = limit - Self.gap * (widths.count - 1)
    while widths.reduce(0, +) > most, let widest = widths.max(), widest > 1 {
      // The later of two equal ones: what comes first says more.
      guard let index = widths.lastIndex(of: widest) else { break }
      widths[index] -= 1
    }
    return widths
  }

  private func line(_ cells: [Cell], _ widths: [Int], _ terminal: Terminal) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let isWhole = TextWidth.columns(cell.text) <= widths[index]
      let text =
        isWhole ? cell.text : TextWidth.prefix(cell.text, columns: widths[index] - 1) + "…"
      line += cell.tint?.applied(to: text, terminal) ?? text
      if index + 1 < cells.count {
        let blank = widths[index] - TextWidth.columns(text) + Self.gap
        line += String(repeating: " ", count: blank)
      }
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}

/// One thing, told field by field, with tables of its parts.
struct Details: Sendable {
  struct Section: Sendable {
    let title: String
    let grid: Grid
  }

  /// Without a value, a field is left out.
  var fields: [(name: String, value: Cell?)]
  var sections: [Section] = []
  /// What a person can do next, below everything else.
  private var helps: [String] = []

  init(fields: [(name: String, value: Cell?)]) { self.fields = fields }

  mutating func help(_ line: String) { helps.append(Cell(line).text) }

  mutating func add(_ title: String, _ titles: [String], _ rows: [[Cell]]) {
    if !rows.isEmpty {
      sections.append(Section(title: title, grid: Grid(titles: titles, rows: rows)))
    }
  }

  func lines(_ terminal: Terminal, fitting: Bool = true) -> [String] {
    let width = (fields.map(\.name.count).max() ?? 0) + Grid.gap
    var lines: [String] = []
    for (name, value) in fields {
      guard let value else { continue }
      let label = Tint.dim.applied(to: name, terminal)
      lines.append(
        label + String(repeating: " ", count: width - name.count)
          + (value.tint?.applied(to: value.text, terminal) ?? value.text))
    }
    for section in sections {
      lines.append("")
      lines.append(Tint.strong.applied(to: section.title, terminal))
      lines += section.grid.lines(terminal, fitting: fitting)
    }
    if !helps.isEmpty { lines.append("") }
    return lines + helps.map { "help: \($0)" }
  }
}
