// `wharf node join-tokens`

import ArgumentParser
import Hosting
import Wire

struct NodeJoinTokens: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "join-tokens", "List the join tokens that were given out and not used.",
    example: "wharf node join-tokens")

  @OptionGroup var reading: ReadOptions

  func run() async throws {
    try await reading.show("join-tokens") { body, terminal in
      let reply = try Client.decode(ItemsReply<JoinTokenItem>.self, body)
      return JoinTokenTable.list(reply.items, reading.output, terminal)
    }
  }
}

/// As the nouns list their things.
private struct JoinTokenTable: Noun {
  static let configuration = CommandConfiguration(commandName: path)
  static let path = "join tokens"

  static var columns: [Column<JoinTokenItem>] {
    [
      Column("ID") { Cell($0.id, .strong) },
      Column("PREFIX") { Cell($0.prefix.map { "\($0)…" }) },
      Column("ISSUED") { Cell($0.issuedAt.short) },
      Column("UNTIL") { Cell($0.until.short) },
    ]
  }

  static func details(_ item: JoinTokenItem) -> Details {
    Details(fields: [("id", Cell(item.id, .strong)), ("until", Cell(item.until.short))])
  }
}
