// An instant as PostgreSQL's `timestamptz` holds it: microseconds, no zone.

import Glibc

/// An instant, in microseconds since the Unix epoch. PostgreSQL counts from the year 2000.
package struct PostgresTimestamp: Sendable, Hashable, Comparable {
  package var microsecondsSinceUnixEpoch: Int64

  package init(microsecondsSinceUnixEpoch: Int64) {
    self.microsecondsSinceUnixEpoch = microsecondsSinceUnixEpoch
  }

  /// PostgreSQL's `infinity` and `-infinity`.
  package static let distantFuture = PostgresTimestamp(microsecondsSinceUnixEpoch: .max)
  package static let distantPast = PostgresTimestamp(microsecondsSinceUnixEpoch: .min)

  private static let postgresEpochMicroseconds: Int64 = 946_684_800_000_000

  package init(microsecondsSince2000 value: Int64) {
    let (sum, overflow) = value.addingReportingOverflow(Self.postgresEpochMicroseconds)
    switch value {
    case .min: self = .distantPast
    default: self = overflow ? .distantFuture : PostgresTimestamp(microsecondsSinceUnixEpoch: sum)
    }
  }

  var microsecondsSince2000: Int64 {
    if self == .distantFuture { return .max }
    let (difference, overflow) = microsecondsSinceUnixEpoch.subtractingReportingOverflow(
      Self.postgresEpochMicroseconds)
    return overflow ? .min : difference
  }

  /// This machine's wall clock.
  package static func now() -> PostgresTimestamp {
    var time = timespec()
    let status = clock_gettime(CLOCK_REALTIME, &time)
    precondition(status == 0, "the realtime clock exists on every Linux")
    return PostgresTimestamp(
      microsecondsSinceUnixEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  package static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool {
    left.microsecondsSinceUnixEpoch < right.microsecondsSinceUnixEpoch
  }
}

extension PostgresTimestamp: CustomStringConvertible {
  /// `2025-05-01T09:30:00.000000Z`, always UTC and always six digits.
  package var description: String {
    if self == .distantFuture { return "infinity" }
    if self == .distantPast { return "-infinity" }
    let (day, microseconds) = floorDivide(microsecondsSinceUnixEpoch, by: 86_400_000_000)
    let (year, month, dayOfMonth) = Self.civil(daysSinceUnixEpoch: day)
    let seconds = microseconds / 1_000_000
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
      + "T\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(microseconds % 1_000_000, 6))Z"
  }

  /// Days to a Gregorian date, by counting eras of 400 years that begin on 1 March.
  private static func civil(daysSinceUnixEpoch: Int64) -> (Int64, Int64, Int64) {
    let (era, dayOfEra) = floorDivide(daysSinceUnixEpoch + 719_468, by: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

private func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
  let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
  return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
}

private func padded(_ number: Int64, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
