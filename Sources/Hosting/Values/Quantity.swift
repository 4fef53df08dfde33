// Amounts people write with units, one type a dimension, and one way to write each: on the command line, in
// documents and in device descriptions. A unit that two people read differently is refused.

/// Memory: `70GiB` and `512MiB` in powers of 1024, `70GB` and `512MB` in powers of 1000, `4096B` in bytes. A bare
/// number is none of these, but for `0`: who writes `70` means no 70 bytes.
package struct Bytes: Hashable, Comparable, Sendable {
  package let count: Int64

  package init(count: Int64) { self.count = count }

  package static let zero = Bytes(count: 0)

  package static func < (a: Bytes, b: Bytes) -> Bool { a.count < b.count }
  package static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(count: a.count + b.count) }
  package static func - (a: Bytes, b: Bytes) -> Bytes { Bytes(count: a.count - b.count) }

  private static let units: [Substring: Int64] = [
    "B": 1,
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
    "kB": 1_000, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
  ]

  package init(_ text: String) throws(Malformed) {
    let written = Amount(text)
    if written.unit.isEmpty, let bare = written.times(1) {
      guard bare == 0 else { throw Self.bare(bare) }
      self = .zero
      return
    }
    guard let factor = Self.units[written.unit], let count = written.times(factor) else {
      let unit = written.unit.uppercased()
      let both = unit.count == 1 && "KMGT".contains(unit) && written.times(1) != nil
      throw Malformed(
        "'\(text.shortened(to: 40))' is no amount of memory: write "
          + (both ? "\(written.number)\(unit)iB or \(written.number)\(unit)B" : "70GiB or 70GB"))
    }
    self.init(count: count)
  }

  private static let fewest: Int64 = 1 << 20

  /// So many bytes nobody means, or nobody counts.
  private static func bare(_ count: Int64) -> Malformed {
    let exact = Bytes(count: count).description
    return Malformed(
      "'\(count)' says no unit: write "
        + (count < fewest ? "\(count)GiB, or \(count)B for so many bytes" : exact))
  }
}

extension Bytes: CustomStringConvertible {
  /// The largest unit of 1024s that gives a whole number: `70GiB`.
  package var description: String {
    for (suffix, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
    where count != 0 && count % (1 << Int64(shift)) == 0 {
      return "\(count >> Int64(shift))\(suffix)"
    }
    return "\(count)B"
  }
}

extension Bytes: JSONCoded {
  package init(json: JSONValue) throws(JSONProblem) {
    let count = try json.integer()
    guard count >= 0 else { throw JSONProblem("an amount of bytes is never negative") }
    self.init(count: count)
  }
  package func write(to json: inout JSONWriter) { json.integer(count) }
  package init(from decoder: any Decoder) throws {
    self.init(count: try decoder.singleValueContainer().decode(Int64.self))
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(count)
  }
}

extension Bytes: DocumentQuantity {
  package init(document json: JSONValue) throws(JSONProblem) {
    do { try self.init(json.scalarText()) } catch let malformed as Malformed {
      throw JSONProblem(malformed.description)
    } catch let problem as JSONProblem {
      throw problem
    } catch { throw JSONProblem("\(error)") }
  }
}

/// Processors: `2`, `1.5`, or thousandths of one, `500m`.
package struct CPU: Hashable, Sendable, CustomStringConvertible {
  package let millis: Int

  package init(millis: Int) { self.millis = millis }

  package init(_ text: String) throws(Malformed) {
    let written = Amount(text)
    let millis: Int64? =
      switch written.unit {
      case "m": written.times(1)
      case "": written.times(1_000)
      default: nil
      }
    guard let millis else {
      throw Malformed("'\(text.shortened(to: 40))' is no amount of CPU: write 500m, 2 or 1.5")
    }
    self.init(millis: Int(millis))
  }

  package var description: String {
    millis % 1_000 == 0 ? "\(millis / 1_000)" : "\(millis)m"
  }
}

/// A length of time: `90d`, `24h`, `15m`, `30s`, `500ms`.
package struct Span: Hashable, Sendable, CustomStringConvertible {
  package let milliseconds: Int64

  /// What it may be written or kept in; the raw value is how many milliseconds that is.
  package enum Unit: Int64, CaseIterable, Sendable {
    case days = 86_400_000
    case hours = 3_600_000
    case minutes = 60_000
    case seconds = 1_000
    case milliseconds = 1

    package var suffix: String {
      switch self {
      case .days: "d"
      case .hours: "h"
      case .minutes: "m"
      case .seconds: "s"
      case .milliseconds: "ms"
      }
    }
  }

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package init(_ count: Int, _ unit: Unit) { milliseconds = Int64(count) * unit.rawValue }

  package init(_ text: String) throws(Malformed) {
    guard let read = Self(reading: text) else { throw Self.noLength(text, Self.examples) }
    self = read
  }

  private init?(reading text: String) {
    let written = Amount(text)
    guard let unit = Unit.allCases.first(where: { $0.suffix == written.unit }),
      let milliseconds = written.times(unit.rawValue)
    else { return nil }
    self.init(milliseconds: milliseconds)
  }

  private static let examples = ["90d", "24h", "15m", "30s", "500ms"]

  private static func noLength(_ text: String, _ forms: [String]) -> Malformed {
    let last = forms.last ?? ""
    let rest = forms.dropLast().joined(separator: ", ")
    return Malformed(
      "'\(text.shortened(to: 40))' is no length of time: write "
        + (rest.isEmpty ? last : "\(rest) or \(last)"))
  }

  /// One that is kept as a count of a unit, no less and no more of them than `range`.
  package init(_ text: String, whole unit: Unit, in range: ClosedRange<Int>) throws(Malformed) {
    guard let read = Self(reading: text) else {
      // No example that would be refused as well.
      let fitting = Self.examples.filter { example in
        (try? Self(reading: example)?.whole(unit)).map(range.contains) ?? false
      }
      let bounds = [range.lowerBound, range.upperBound].map { "\(Span($0, unit))" }
      throw Self.noLength(text, fitting.isEmpty ? bounds : fitting)
    }
    self = read
    let count = try whole(unit)
    if count < range.lowerBound {
      throw Malformed("'\(text)' is too short: at least \(Span(range.lowerBound, unit))")
    }
    if count > range.upperBound {
      throw Malformed("'\(text)' is too long: at most \(Span(range.upperBound, unit))")
    }
  }

  /// How many of a unit it is; what is none of them whole is refused, and never rounded.
  package func whole(_ unit: Unit) throws(Malformed) -> Int {
    guard milliseconds % unit.rawValue == 0 else {
      throw Malformed("'\(self)' is no whole number of \(unit), which is how it is kept")
    }
    return Int(milliseconds / unit.rawValue)
  }

  package var seconds: Double { Double(milliseconds) / 1_000 }
  package var duration: Duration { .milliseconds(milliseconds) }

  package var description: String {
    if milliseconds == 0 { return "0s" }
    let unit = Unit.allCases.first { milliseconds % $0.rawValue == 0 } ?? .milliseconds
    return "\(milliseconds / unit.rawValue)\(unit.suffix)"
  }
}

/// A number and what stands behind it: digits, with a point between some of them, then a unit.
private struct Amount {
  private static let mostDecimals = 6

  let number: Substring
  let unit: Substring

  init(_ text: String) {
    number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    unit = text[number.endIndex...]
  }

  /// So many times the number, where that is whole and fits.
  func times(_ factor: Int64) -> Int64? {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.count <= 18 }),
      let whole = Int64(parts[0]),
      case let (count, isOver) = whole.multipliedReportingOverflow(by: factor), !isOver
    else { return nil }
    guard parts.count == 2 else { return count }
    // With so few decimals no factor overflows.
    guard parts[1].count <= Self.mostDecimals, let decimals = Int64(parts[1]) else { return nil }
    let scale = parts[1].reduce(Int64(1)) { scale, _ in scale * 10 }
    guard (decimals * factor) % scale == 0 else { return nil }
    let (sum, isPast) = count.addingReportingOverflow(decimals * factor / scale)
    return isPast ? nil : sum
  }
}
