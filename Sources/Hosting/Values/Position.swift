// The log position: the one number. Order of all facts, epoch of a leader, consistency token of a
// reply, generation of an assignment, version of a policy, coordinate of time travel.

/// A place in the log. The first event stands at 1; 0 is the empty log.
package struct Position: Hashable, Comparable, Sendable {
  package let value: Int64

  package init(_ value: Int64) {
    precondition(value >= 0, "a log position is never negative")
    self.value = value
  }

  package static let empty = Position(0)

  package var next: Position { Position(value + 1) }

  package static func < (a: Position, b: Position) -> Bool { a.value < b.value }

  package static func + (a: Position, count: Int) -> Position { Position(a.value + Int64(count)) }

  /// A position as people and programs write it: decimal digits only.
  package init?(text: some StringProtocol) {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      let value = Int64(text)
    else { return nil }
    self.init(value)
  }
}

extension Position: CustomStringConvertible {
  package var description: String { String(value) }
}

extension Position: ExpressibleByIntegerLiteral {
  package init(integerLiteral value: Int64) { self.init(value) }
}
