// `wharf mark`: gives a position a name, and lists those that have one.

import ArgumentParser
import Hosting
import Wire

struct MarkVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "mark", "Name the head of the log, or list the marks.", example: "wharf mark before-revoke",
    more: "A mark never moves. Use it wherever a moment is asked for: --as-of before-revoke.")

  @Argument(help: "The mark; without one, the marks are listed.", transform: Parse.name)
  var name: Name?
  @Option(help: "An earlier position to name.", transform: Parse.position) var at: Position?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    if name == nil, at != nil { throw ValidationError("--at needs the name of the mark") }
  }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    guard let name else { return try await list(client) }
    let reply = try await sending.send(PlaceMark(name: name, position: at), by: client)
    let data = reply.events.first { $0.type == MarkPlaced.type }?.data
    let position = try data.map { try MarkPlaced(jsonBytes: $0.text).position } ?? reply.position
    Terminal.say(
      sending.output.quiet
        ? "\(position)"
        : try Outcome(reply: reply).text("marked position \(position) as \(name)", sending.output))
  }

  private func list(_ client: Client) async throws {
    let body = try await client.get(MarkTable.path)
    let reply = try Client.decode(ItemsReply<MarkItem>.self, body)
    Terminal.say(
      try sending.output.structured(body)
        ?? MarkTable.list(reply.items, sending.output, .current))
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
