// `wharf token`: what a person speaks to the API with. Each has a name and an end of its own.

import ArgumentParser
import Hosting
import Wire

struct TokenNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Your tokens; admins see and end those of others.",
    subcommands: [TokenIssue.self, TokenRevoke.self, TokenList.self])

  static let path = "tokens"

  static var columns: [Column<TokenItem>] {
    [
      Column("PERSON") { Cell($0.person) },
      Column("NAME") { Cell($0.name?.text ?? "-", .strong) },
      Column("PREFIX") { Cell("\($0.id)…") },
      Column("ISSUED") { Cell($0.issuedAt.short) },
      Column("UNTIL") { Cell($0.until?.short) },
      Column("LAST USED") { Cell(lastUsed($0)) },
    ]
  }

  static func details(_ item: TokenItem) -> Details {
    Details(fields: [
      ("person", Cell(item.person)), ("name", Cell(item.name?.text ?? "-", .strong)),
      ("prefix", Cell("\(item.id)…")), ("issued", Cell(item.issuedAt.short)),
      ("until", item.until.map { Cell($0.short) }), ("last used", lastUsed(item).map { Cell($0) }),
    ])
  }

  /// It is what one wharfd saw since it started, and told as such.
  static func lastUsed(_ item: TokenItem) -> String? {
    if item.presented { return "now" }
    guard let since = item.watchedSince else { return nil }
    return item.lastUsed?.short
      ?? "not since \(since.short), when the wharfd that was asked started"
  }
}
