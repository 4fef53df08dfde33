// `wharf agreement`: what a provider allows us to do, for whom, and until when.

import ArgumentParser
import Hosting
import Wire

struct AgreementNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "agreement", abstract: "What a provider allows us to do.",
    subcommands: [
      AgreementSign.self, AgreementAmend.self, AgreementTerminate.self, AgreementList.self,
      AgreementShow.self,
    ])

  static let path = "agreements"

  static var columns: [Column<AgreementItem>] {
    [
      Column("PROVIDER") { Cell($0.provider, .strong) },
      Column("STATUS") { status($0) },
      Column("SCOPE") { Cell(list($0.scope)) },
      Column("AUDIENCE") { Cell(list($0.audiences)) },
      Column("FROM") { Cell($0.from.short) },
      Column("END") { Cell($0.end?.short) },
      Column("NOTICE") { Cell("\($0.noticeDays) d") },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: AgreementItem) -> Details {
    Details(fields: [
      ("provider", Cell(item.provider, .strong)), ("id", Cell(item.id)), ("status", status(item)),
      ("scope", Cell(list(item.scope))), ("audience", Cell(list(item.audiences))),
      ("from", Cell(item.from.short)), ("until", Cell(item.until?.moment ?? "terminated")),
      ("notice", Cell("\(item.noticeDays) days")), ("signed", Cell(item.signedAt.short)),
      ("terminated", item.terminatedAt.map { Cell($0.short, .warning) }),
      ("ends", item.end.map { Cell($0.short) }),
    ])
  }

  private static func status(_ item: AgreementItem) -> Cell {
    switch item.status {
    case "in force": Cell(item.status, .good)
    case "ended": Cell(item.status, .bad)
    default: Cell(item.status, .warning)
    }
  }

  private static func list<Value: RawRepresentable<String>>(_ values: [Value]) -> String {
    values.map(\.rawValue).joined(separator: ", ")
  }
}
