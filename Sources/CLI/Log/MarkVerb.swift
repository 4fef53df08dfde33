// `wharf mark`: gives a position a name, and lists those that have one.

import ArgumentParser
import Hosting
import Wire

struct MarkVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mark", abstract: "Name positions of the log: wharf mark before-revoke.",
    subcommands: [MarkPlace.self, MarkList.self], defaultSubcommand: MarkPlace.self)

  /// Words that a mark cannot be called, since they would be taken for verbs, of today or of elsewhere.
  static let words = ["place", "list", "show", "help", "delete", "remove"]
}

struct MarkPlace: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "place", "Name the head of the log, or an earlier position.",
    example: "wharf mark place before-revoke",
    more: """
      'wharf mark before-revoke' is the same, and 'wharf mark' lists them. A mark never moves. Use it \
      wherever a moment is asked for: --as-of before-revoke.
      """)

  @Argument(help: "The mark; without one, the marks are listed.", transform: Parse.name)
  var name: Name?
  @Option(help: "An earlier position to name.", transform: Parse.position) var at: Position?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    if name == nil, at != nil { throw ValidationError("--at needs the name of the mark") }
    if let name, MarkVerb.words.contains(name.key) {
      throw ValidationError("'\(name)' is a verb, and no name of a mark: call it otherwise")
    }
  }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    guard let name else { return try await MarkTable.list(client, sending.output) }
    let reply = try await sending.send(PlaceMark(name: name, position: at), by: client)
    let data = reply.events.first { $0.type == MarkPlaced.type }?.data
    let position = try data.map { try MarkPlaced(jsonBytes: $0.text).position } ?? reply.position
    Terminal.say(
      sending.output.quiet
        ? "\(position)"
        : try Outcome(reply: reply).text("marked position \(position) as \(name)", sending.output))
  }
}

struct MarkList: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "list", "List the marks.", example: "wharf mark list")

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await MarkTable.list(try Client(connection.connection()), output)
  }
}

extension MarkTable {
  fileprivate static func list(_ client: Client, _ output: OutputOptions) async throws {
    let body = try await Pages.all(of: path, [], filters: [], client)
    let reply = try Client.decode(ItemsReply<MarkItem>.self, body)
    Terminal.say(try output.structured(body) ?? list(reply.items, output, .current))
  }
}

/// How marks are listed; they have no verbs but `mark`.
struct MarkTable: Noun {
  static let path = "marks"

  static var columns: [Column<MarkItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("POSITION") { Cell("\($0.position)") },
      Column("MARKED") { Cell($0.markedAt.short) },
    ]
  }

  static func details(_ item: MarkItem) -> Details {
    Details(fields: [("name", Cell(item.name.text)), ("position", Cell("\(item.position)"))])
  }
}
