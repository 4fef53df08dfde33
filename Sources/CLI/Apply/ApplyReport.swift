// What came of applied documents, line by line while it happens, or as one JSON at the end.

import Hosting
import Wire

struct ApplyReport {
  enum Result: String, CaseIterable, JSONCoded { case done, unchanged, would }

  struct Line: Codable, JSONWritable {
    var document: String
    var step: String?
    var command: String?
    var commandID: CommandID?
    var result: Result
    var subject: String?
    var position: Position?
    /// All that the command says: which model of which grant.
    var with: RawJSON?
  }

  private static let stepWidth = 24
  private static let commandWidth = 20
  /// What a command is about comes first in it.
  private static let longestWith = 200

  let output: OutputOptions
  private(set) var lines: [Line] = []
  private var document = ""

  init(output: OutputOptions) { self.output = output }

  private var isText: Bool { !output.quiet && [.table, .wide].contains(output.output) }

  mutating func title(_ text: String) {
    document = text
    if isText { Terminal.say(text) }
  }

  mutating func did(
    _ step: String?, _ command: any Command, _ id: CommandID, _ reply: CommandReply,
    isEarlier: Bool
  ) {
    let outcome = Outcome(reply: reply)
    let result: Result = isEarlier || outcome.isUnchanged ? .unchanged : .done
    add(
      Line(
        document: document, step: step, command: type(of: command).type, commandID: id,
        result: result, subject: outcome.isUnchanged ? nil : outcome.subject?.description,
        position: reply.position, with: RawJSON(text: command.jsonBytes)))
  }

  mutating func would(
    _ step: String?, _ command: any Command, _ id: CommandID, _ tried: DryRunReply.Step
  ) {
    let isUnchanged = tried.isEarlier || tried.events.allSatisfy { $0.type == CommandNoted.type }
    add(
      Line(
        document: document, step: step, command: type(of: command).type,
        commandID: step == nil ? nil : id, result: isUnchanged ? .unchanged : .would,
        subject: isUnchanged ? nil : tried.events.first?.stream.description,
        position: isUnchanged ? nil : tried.events.last?.position,
        with: RawJSON(text: command.jsonBytes)))
  }

  /// How many commands were done.
  var done: Int { lines.count { $0.result == .done } }

  mutating func unchanged() {
    add(
      Line(
        document: document, step: nil, command: nil, commandID: nil, result: .unchanged,
        subject: nil, position: nil))
  }

  private mutating func add(_ line: Line) {
    lines.append(line)
    if isText { Terminal.say(Self.text(line)) }
  }

  static func text(_ line: Line) -> String {
    let result =
      switch line.result {
      case .done: place(line)
      case .unchanged: "unchanged"
      case .would: "would be \(place(line))"
      }
    let step = line.step.map { padded($0, stepWidth) } ?? ""
    let command = line.command.map { padded($0, commandWidth) } ?? ""
    let with = line.with.map { "  \(EventText.summary($0).shortened(to: longestWith))" } ?? ""
    return "  \(step)\(command)\(result)\(with)"
  }

  private static func place(_ line: Line) -> String {
    [line.subject, line.position.map { "position \($0)" }].compactMap { $0 }
      .joined(separator: ", ")
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    TextWidth.padded(text, to: width) + "  "
  }

  func finish(at position: Position) throws {
    let body = ItemsReply(position: position, items: lines).jsonBytes
    if let structured = try output.structured(body) { return Terminal.say(structured) }
    guard isText else { return }
    let counts = [(Result.done, "done"), (.unchanged, "unchanged"), (.would, "would be done")]
      .map { result, word in (lines.count { $0.result == result }, word) }.filter { $0.0 > 0 }
    Terminal.say(
      counts.isEmpty ? "nothing to apply" : counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    )
  }
}
