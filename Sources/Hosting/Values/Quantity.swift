// Amounts people write with units: `70GiB`, `80G`. Whole bytes inside; powers of 1024 for KiB, MiB,
// GiB, TiB and for the bare letters that GPU makers use (`80G`), powers of 1000 for kB, MB, GB, TB.

package struct Bytes: Hashable, Comparable, Sendable {
  package let count: Int64

  package init(count: Int64) { self.count = count }

  package static let zero = Bytes(count: 0)

  package static func < (a: Bytes, b: Bytes) -> Bool { a.count < b.count }
  package static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(count: a.count + b.count) }
  package static func - (a: Bytes, b: Bytes) -> Bytes { Bytes(count: a.count - b.count) }

  private static let units: [(suffix: String, factor: Int64)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
    ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40), ("b", 1),
  ]

  /// `70GiB`, `80G`, `512MB`, `1024`.
  package init(_ text: String) throws(Malformed) {
    let lower = text.lowercased()
    let unit = Self.units.first { lower.hasSuffix($0.suffix) }
    let digits = lower.dropLast(unit?.suffix.count ?? 0)
    guard let amount = Position(text: digits)?.value,
      case let (count, overflow) = amount.multipliedReportingOverflow(by: unit?.factor ?? 1),
      !overflow
    else {
      throw Malformed("'\(text.shortened(to: 40))' is no amount of memory: write 70GiB or 80G")
    }
    self.init(count: count)
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
