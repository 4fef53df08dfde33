// The moments that people ask for: a position, a time, or a mark. In this order, so that no mark ever
// stands for another moment than its text says.

package enum AskedMoment: Equatable, Sendable {
  case position(Position)
  /// A time as `Timestamp` reads it, or as it is shown to people: `2025-05-01 10:30:07` is that whole
  /// second, from its first microsecond to its last. So is it with a `T` between: without an offset it is UTC.
  case time(from: Timestamp, to: Timestamp)
  case mark(Name)

  /// None for a text that can be none of them.
  package init?(_ text: String) {
    if let position = Position(text: text) {
      self = .position(position)
    } else if let moment = Timestamp(text) {
      self = .time(from: moment, to: moment)
    } else if let second = Self.shown(text) {
      self = .time(
        from: second, to: Timestamp(microseconds: second.microseconds + Self.lastOfSecond))
    } else if let name = try? Name(text) {
      self = .mark(name)
    } else {
      return nil
    }
  }

  private static let lastOfSecond: Int64 = 999_999
  private static let shownForm = "dddd-dd-dd dd:dd:dd"
  /// As far as a name can go with a time: it has no colon.
  private static let timeInName = "dddd-dd-ddTdd"

  private static func shown(_ text: String) -> Timestamp? {
    let form = shownForm.utf8.count
    guard text.utf8.count == form, begins(text.replacing("T", with: " "), as: shownForm) else {
      return nil
    }
    return Timestamp(text + "Z")
  }

  /// Whether a name reads as a position or a time, or could go on to be one.
  package static func mayBegin(with name: String) -> Bool {
    name.utf8.allSatisfy(isDigit) || begins(name.uppercased(), as: timeInName)
  }

  private static func begins(_ text: String, as form: String) -> Bool {
    guard text.utf8.count <= form.utf8.count else { return false }
    return zip(text.utf8, form.utf8).allSatisfy { byte, wanted in
      wanted == UInt8(ascii: "d") ? isDigit(byte) : byte == wanted
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
