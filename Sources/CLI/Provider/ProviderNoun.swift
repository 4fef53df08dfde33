// `wharf provider`: companies that make models.

import ArgumentParser
import Hosting
import Wire

struct ProviderNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "provider", abstract: "Companies that make models.",
    subcommands: [
      ProviderRegister.self, ProviderSuspend.self, ProviderReinstate.self, ProviderList.self,
      ProviderShow.self,
    ])

  static let path = "providers"

  static var columns: [Column<ProviderItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("TITLE") { Cell($0.title.value) },
      Column("STATUS") { Cell($0.status, $0.suspendedAt == nil ? .good : .bad) },
      Column("AGREEMENT") { Cell($0.agreement) },
      Column("MODELS") { Cell($0.models) },
      Column("REGISTERED") { Cell($0.registeredAt.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: ProviderItem) -> Details {
    Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("title", Cell(item.title.value)),
      ("id", Cell(item.id)),
      ("status", Cell(item.status, item.suspendedAt == nil ? .good : .bad)),
      ("agreement", Cell(item.agreement ?? "none")), ("models", Cell(item.models)),
      ("registered", Cell(item.registeredAt.short)),
      ("suspended", item.suspendedAt.map { Cell($0.short) }),
    ])
  }
}
