// Why `wharf up` or `wharf down` could not do what it was asked: what was attempted, on what, why
// it failed, and what would help.

package struct UpFailure: Error, Hashable, CustomStringConvertible {
  /// The exit codes of every `wharf` command.
  package enum Code: Int, Sendable {
    case failed = 1
    case usage = 2
    case notReachable = 3
    case timedOut = 4
  }

  package let message: String
  package let help: String?
  package let code: Code

  package init(_ message: String, help: String? = nil, code: Code = .failed) {
    self.message = message
    self.help = help
    self.code = code
  }

  package var description: String { help.map { "\(message)\nhelp: \($0)" } ?? message }
}
