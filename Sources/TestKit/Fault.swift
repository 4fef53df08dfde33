// What a check found. A check returns its faults instead of recording them, so that the same check runs
// against what must be right and against what is known to be wrong.

/// One thing that must not be.
package struct Fault: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// The faults that a check notes one by one.
package struct Faults {
  package private(set) var all: [Fault] = []

  package init() {}

  package mutating func note(_ description: @autoclosure () -> String, unless isRight: Bool) {
    if !isRight { all.append(Fault(description())) }
  }
}
