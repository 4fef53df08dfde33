// How the values of arguments are written: `2025-05-01`, `70GiB`, `xai/grok-3:1`,
// `internal,external`.

import ArgumentParser
import Hosting

extension Audience: ExpressibleByArgument {}
extension ModelTask: ExpressibleByArgument {}
extension Stage: ExpressibleByArgument {}
extension Workload: ExpressibleByArgument {}

/// `internal,external`
struct Listed<Value>: ExpressibleByArgument, Equatable
where Value: RawRepresentable & CaseIterable & Equatable & Sendable, Value.RawValue == String {
  let values: [Value]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Value(rawValue: String($0)) }
    guard values.count == parts.count else { return nil }
    self.values = values
  }

  static var allValueStrings: [String] { Value.allCases.map(\.rawValue) }
}

/// What a thing is called: a name, an id (`team/9`), or a model's `xai/grok-3`.
struct ThingName: Equatable {
  static let longest = 200
  let text: String

  init(_ text: String) throws(Malformed) {
    if text.isEmpty { throw Malformed("a name cannot be empty") }
    if text.count > Self.longest {
      throw Malformed("a name has at most \(Name.longest) characters, this one has \(text.count)")
    }
    self.text = text
  }

  var inPath: String { PathName.encoded(text) }
}

enum Parse {
  /// What a number may be, said before anything is sent.
  static func check(_ number: Int?, in range: ClosedRange<Int>, _ option: String) throws {
    guard let number, !range.contains(number) else { return }
    let wanted =
      range.upperBound == .max
      ? "\(range.lowerBound) or more" : "from \(range.lowerBound) to \(range.upperBound)"
    throw ValidationError("\(option) must be \(wanted), and is \(number)")
  }

  /// What a day is where a moment is asked for.
  static let momentHelp = "a day is its first moment, UTC; or 2026-12-01T18:00:00Z"

  @Sendable static func date(_ text: String) throws -> Timestamp { try Timestamp(jsonText: text) }

  @Sendable static func model(_ text: String) throws -> ModelReference {
    try ModelReference(jsonText: text)
  }

  @Sendable static func version(_ text: String) throws -> ModelReference {
    let model = try ModelReference(jsonText: text)
    if model.version == nil { throw Malformed("it names no version: write \(text):VERSION") }
    return model
  }

  @Sendable static func cpu(_ text: String) throws -> CPU { try CPU(text) }
  @Sendable static func bytes(_ text: String) throws -> Bytes { try Bytes(text) }
  @Sendable static func name(_ text: String) throws -> Name { try Name(text) }
  @Sendable static func email(_ text: String) throws -> Email { try Email(text) }
  @Sendable static func person(_ text: String) throws -> PersonReference {
    try PersonReference(jsonText: text)
  }
  @Sendable static func thing(_ text: String) throws -> ThingName { try ThingName(text) }
  @Sendable static func text(_ text: String) throws -> Text { try Text(text) }
  @Sendable static func digest(_ text: String) throws -> Digest { try Digest(jsonText: text) }

  @Sendable static func position(_ text: String) throws -> Position {
    guard let position = Position(text: text) else {
      throw Malformed("a position is a whole number, as wharf events shows")
    }
    return position
  }

  /// The id of a node, or of what may become one.
  @Sendable static func joinToken(_ text: String) throws -> ID<Node> {
    guard let id = try? ID<Node>(jsonText: text) else {
      throw Malformed("'\(text.shortened(to: 40))' is no id of a join token: it reads node/20")
    }
    return id
  }

  @Sendable static func commandID(_ text: String) throws -> CommandID {
    try CommandID(jsonText: text)
  }
}

extension CommandConfiguration {
  /// A verb: what it does in one sentence, and one example.
  ///
  /// - Parameter usage: where what its arguments say of themselves is not so.
  static func verb(
    _ name: String, _ abstract: String, example: String, more: String = "", usage: String? = nil
  ) -> CommandConfiguration {
    CommandConfiguration(
      commandName: name, abstract: abstract, usage: usage,
      discussion: (more.isEmpty ? "" : more + "\n\n") + "Example: \(example)")
  }
}
