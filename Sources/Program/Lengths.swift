// Lengths of time on command lines: `90s`, `15m`, `24h`, `7d`, as in documents. An option may have a second name
// that says a unit (`--drain` and `--drain-seconds`): behind that one a plain number is a count of it. Without
// a unit in either place a number is refused, since two people read it differently.

import Hosting

package enum Lengths {
  /// What a name of an option may end in, and what its plain numbers count.
  private static let endings: [(ending: String, unit: Span.Unit)] = [
    ("seconds", .seconds), ("minutes", .minutes), ("hours", .hours), ("days", .days),
    ("ms", .milliseconds), ("timeout", .seconds),
  ]

  /// For an option's `transform`: a length that is kept as a count of a unit.
  package static func whole(
    _ unit: Span.Unit, in range: ClosedRange<Int>
  ) -> @Sendable (String) throws -> Span {
    { text in try Span(text, whole: unit, in: range) }
  }

  /// What an option reads, for its help: `0s to 1d`, `1h to 30d in whole hours`.
  package static func bounds(_ unit: Span.Unit, in range: ClosedRange<Int>) -> String {
    let bounds = "\(Span(range.lowerBound, unit)) to \(Span(range.upperBound, unit))"
    return [.seconds, .milliseconds].contains(unit) ? bounds : "\(bounds) in whole \(unit)"
  }

  /// `30` behind `--drain-seconds` as `30s`; anything else as it is.
  static func withUnit(_ value: String, of option: String) -> String {
    let name = option.dropFirst(2)
    guard value.first?.isNumber == true, value.last?.isNumber == true,
      let unit = endings.first(where: { name == $0.ending || name.hasSuffix("-\($0.ending)") })?
        .unit
    else { return value }
    return value + unit.suffix
  }

  /// The same where both are one word: `--drain-seconds=30`.
  static func withUnit(_ word: String) -> String {
    guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return word }
    let option = String(word[..<sign])
    return "\(option)=\(withUnit(String(word[word.index(after: sign)...]), of: option))"
  }
}
