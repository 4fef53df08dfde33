// Moments as whole microseconds since 1970-01-01T00:00:00Z, read and written as RFC 3339 in UTC.
// Pure: nothing here asks what time it is.

package struct Timestamp: Hashable, Comparable, Sendable {
  package let microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  package static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

  package func adding(seconds: Int64) -> Timestamp {
    Timestamp(microseconds: microseconds + seconds * 1_000_000)
  }

  package func adding(days: Int) -> Timestamp { adding(seconds: Int64(days) * 86_400) }

  package func seconds(since earlier: Timestamp) -> Double {
    Double(microseconds - earlier.microseconds) / 1_000_000
  }
}

extension Timestamp {
  /// `2025-05-01` (midnight UTC), or `2025-05-01T10:30:00[.123456]` with `Z` or `+02:00`.
  package init?(_ text: String) {
    var scan = Scanner(bytes: Array(text.utf8))
    guard let year = scan.digits(4), scan.take("-"), let month = scan.digits(2), scan.take("-"),
      let day = scan.digits(2), (1...12).contains(month),
      day >= 1, day <= Self.daysInMonth(year, month)
    else { return nil }
    var total = Self.daysFromCivil(year, month, day) * 86_400 * 1_000_000
    if !scan.atEnd {
      guard scan.take("T") || scan.take("t") || scan.take(" "),
        let time = scan.timeOfDay(), let offset = scan.offsetSeconds(), scan.atEnd
      else { return nil }
      total += time - offset * 1_000_000
    }
    self.init(microseconds: total)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var index = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var atEnd: Bool { index == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    mutating func digits(_ count: Int) -> Int64? {
      guard index + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[index..<index + count] {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int64(byte - 48)
      }
      index += count
      return value
    }

    /// Microseconds since midnight.
    mutating func timeOfDay() -> Int64? {
      guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60
      else { return nil }
      var seconds: Int64 = 0
      var micros: Int64 = 0
      if take(":") {
        guard let second = digits(2), second < 60 else { return nil }
        seconds = second
        if take(".") {
          var scale: Int64 = 100_000
          var seen = 0
          while let digit = digits(1) {
            micros += digit * scale
            scale /= 10
            seen += 1
          }
          guard (1...9).contains(seen) else { return nil }
        }
      }
      return ((hour * 60 + minute) * 60 + seconds) * 1_000_000 + micros
    }

    mutating func offsetSeconds() -> Int64? {
      if take("Z") || take("z") { return 0 }
      let sign: Int64
      if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
      guard let hours = digits(2), hours < 24, take(":"), let minutes = digits(2), minutes < 60
      else { return nil }
      return sign * (hours * 60 + minutes) * 60
    }
  }

  private static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March here, so that
  /// the leap day is the last of its year.
  private static func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with six decimals, always of one length, so that text sorts as time does.
  package var description: String {
    let day = microseconds >= 0 ? microseconds / Self.day : (microseconds - Self.day + 1) / Self.day
    let rest = microseconds - day * Self.day
    let date = Self.civil(fromDays: day)
    // Years before 0 and past 9999 are longer than the form: they are only ever shown.
    guard (0...9_999).contains(date.year) else {
      return Self.padded(date.year, 4) + Self.digits(from: 0, day, rest).dropFirst(4)
    }
    return String(Self.digits(from: date.year, day, rest))
  }

  /// `yyyy-MM-ddTHH:mm:ss.ffffffZ`, written at once: timestamps stand in many events.
  private static func digits(from year: Int64, _ day: Int64, _ rest: Int64) -> Substring {
    let date = civil(fromDays: day)
    let seconds = rest / 1_000_000
    let text = String(unsafeUninitializedCapacity: canonicalLength) { buffer in
      func put(_ value: Int64, _ width: Int, at offset: Int, then byte: Unicode.Scalar) {
        var value = value
        for index in stride(from: offset + width - 1, through: offset, by: -1) {
          buffer[index] = UInt8(48 + value % 10)
          value /= 10
        }
        buffer[offset + width] = UInt8(ascii: byte)
      }
      put(year, 4, at: 0, then: "-")
      put(date.month, 2, at: 5, then: "-")
      put(date.day, 2, at: 8, then: "T")
      put(seconds / 3600, 2, at: 11, then: ":")
      put(seconds / 60 % 60, 2, at: 14, then: ":")
      put(seconds % 60, 2, at: 17, then: ".")
      put(rest % 1_000_000, 6, at: 20, then: "Z")
      return canonicalLength
    }
    return text[...]
  }

  private static let canonicalLength = 27

  /// Reads exactly what `description` writes, and nothing else.
  package init?(canonical bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count == Self.canonicalLength else { return nil }
    var isFaulty = false
    func number(_ offset: Int, _ width: Int, then byte: Unicode.Scalar) -> Int64 {
      var value: Int64 = 0
      for index in offset..<offset + width {
        let digit = bytes[index] &- 48
        if digit > 9 { isFaulty = true }
        value = value &* 10 &+ Int64(digit)
      }
      if bytes[offset + width] != UInt8(ascii: byte) { isFaulty = true }
      return value
    }
    let year = number(0, 4, then: "-")
    let month = number(5, 2, then: "-")
    let day = number(8, 2, then: "T")
    let hour = number(11, 2, then: ":")
    let minute = number(14, 2, then: ":")
    let second = number(17, 2, then: ".")
    let micros = number(20, 6, then: "Z")
    guard !isFaulty, (1...12).contains(month), day >= 1, day <= Self.daysInMonth(year, month),
      hour < 24, minute < 60, second < 60
    else { return nil }
    let seconds = (hour * 60 + minute) * 60 + second
    self.init(
      microseconds: Self.daysFromCivil(year, month, day) * Self.day + seconds * 1_000_000 + micros)
  }

  /// Reads exactly what `description` writes, and nothing else.
  package init?(canonical text: String) {
    var text = text
    let read = text.withUTF8 { Timestamp(canonical: $0) }
    guard let read else { return nil }
    self = read
  }

  /// `2025-05-01` when it is a midnight, else to the second: for people.
  package var short: String {
    let text = description
    return microseconds % Self.day == 0
      ? String(text.prefix(10)) : text.prefix(10) + " " + text.dropFirst(11).prefix(8)
  }

  /// The same with its time of day, for what turns on the very moment: `2025-05-01 00:00:00 UTC`.
  package var moment: String {
    let text = description
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + " UTC"
  }

  private static let day: Int64 = 86_400 * 1_000_000

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
