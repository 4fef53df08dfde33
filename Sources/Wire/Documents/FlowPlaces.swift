// Where a field stands for the second time in `{a: 1, a: 2}`: the parser tells only where the first one is.

import Yams

extension SourceText {
  /// `4:30`; none where the mapping is not written in braces.
  ///
  /// - Parameter first: where the field stands for the first time.
  func secondInFlow(_ field: String, from first: Yams.Mark) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.indices.contains(first.line - 1) else { return nil }
    var scan = FlowScan(
      lines: lines.map(Array.init), line: first.line - 1, column: first.column - 1)
    while let character = scan.next() {
      switch character {
      case "{", "[": scan.depth += 1
      case "}", "]":
        scan.depth -= 1
        if scan.depth < 0 { return nil }
      case "'", "\"": scan.skip(quoted: character)
      case ",":
        guard scan.depth == 0 else { continue }
        scan.skipSpace()
        if scan.isAt(field) { return "\(scan.line + 1):\(scan.column + 1)" }
      default: break
      }
    }
    return nil
  }
}

/// A place in lines, moving on.
private struct FlowScan {
  let lines: [[Character]]
  var line: Int
  var column: Int
  /// Of braces and brackets opened since the first field.
  var depth = 0

  mutating func next() -> Character? {
    while line < lines.count {
      if column < lines[line].count {
        column += 1
        return lines[line][column - 1]
      }
      line += 1
      column = 0
    }
    return nil
  }

  mutating func skip(quoted quote: Character) {
    while let character = next(), character != quote {
      if character == "\\", quote == "\"" { _ = next() }
    }
  }

  mutating func skipSpace() {
    while line < lines.count {
      while column < lines[line].count, lines[line][column].isWhitespace { column += 1 }
      if column < lines[line].count { return }
      line += 1
      column = 0
    }
  }

  /// Whether a field of this name begins here, quoted or not.
  func isAt(_ field: String) -> Bool {
    guard line < lines.count else { return false }
    let rest = String(lines[line][column...])
    return [field, "'\(field)'", "\"\(field)\""].contains { name in
      rest.hasPrefix(name) && rest.dropFirst(name.count).first { !$0.isWhitespace } == ":"
    }
  }
}
