// `wharf key`: what a team's programs call the gateway with.

import ArgumentParser
import Hosting
import Wire

struct KeyNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "API keys of teams.",
    subcommands: [KeyIssue.self, KeyRotate.self, KeyRevoke.self, KeyList.self, KeyShow.self])

  static let path = "keys"

  static var columns: [Column<KeyItem>] {
    [
      Column("TEAM") { Cell($0.team) },
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("PREFIX") { Cell("\($0.prefix)…") },
      Column("ISSUED") { Cell($0.issuedAt.short) },
      Column("UNTIL") { Cell($0.until?.short) },
      Column("OLD SECRET UNTIL", wide: true) { Cell($0.previousUntil?.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: KeyItem) -> Details {
    var details = Details(fields: [
      ("team", Cell(item.team)), ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      ("issued", Cell(item.issuedAt.short)), ("until", item.until.map { Cell($0.moment) }),
    ])
    details.add(
      "SECRETS", ["PREFIX", "GOOD UNTIL"],
      item.secrets.map { secret in
        [Cell("\(secret.prefix)…", .strong), Cell(secret.until?.short ?? "it is revoked")]
      })
    return details
  }
}
