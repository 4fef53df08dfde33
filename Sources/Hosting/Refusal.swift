// Why a command was not done: what was attempted, on what, why not, and what would help. A refusal
// is an answer, not a fault; its code is part of the API and stable.

package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// Stable, lowerCamelCase: programs switch on it.
  package let code: String
  /// One sentence: what was attempted, on what, and why not.
  package let message: String
  /// What would help: a command, or what to write instead.
  package let help: String

  package init(_ code: String, _ message: String, help: String) {
    self.code = code
    self.message = message
    self.help = help
  }

  package var description: String { "\(message); \(help)" }
}

extension Refusal {
  package static func nameTaken(_ kind: Kind, _ name: String, by stream: Stream) -> Refusal {
    Refusal(
      "nameTaken", "there is already a \(kind.rawValue) named '\(name)' (\(stream))",
      help: "see it with: wharf \(kind.rawValue) show \(name)")
  }

  package static func unknown(_ kind: Kind, _ name: String) -> Refusal {
    Refusal(
      "unknown\(kind.rawValue.prefix(1).uppercased())\(kind.rawValue.dropFirst())",
      "there is no \(kind.rawValue) named '\(name.shortened(to: 80))'",
      help: "list them with: wharf \(kind.rawValue) list")
  }

  package static func notAllowed(_ role: Role, _ command: any Command.Type) -> Refusal {
    Refusal(
      "notAllowed", "\(CommandWords.told(command)) is not for the role \(role.rawValue)",
      help: "ask an admin: wharf person invite NAME --role operator")
  }

  /// Somebody states what was seen at a position that nobody can have seen.
  package static func positionAhead(_ position: Position, head: Position) -> Refusal {
    Refusal(
      "positionAhead", "there is no position \(position) yet: the log ends at \(head)",
      help: "name the one that you saw the state at, as wharf status -q tells it")
  }

  package static func changedSince(_ position: Position, _ stream: Stream, at: Position) -> Refusal
  {
    Refusal(
      "changedSince", "\(stream) changed at position \(at), after the stated position \(position)",
      help: "look at what changed with: wharf diff --from \(position)")
  }
}
