// `wharf gateway`: what answers teams.

import ArgumentParser
import Hosting
import Wire

struct GatewayNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "gateway", abstract: "What answers teams.",
    subcommands: [GatewayRegister.self, GatewayRemove.self, GatewayList.self, GatewayShow.self])

  static let path = "gateways"

  static var columns: [Column<GatewayItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("REGISTERED") { Cell($0.registeredAt.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: GatewayItem) -> Details {
    Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      ("registered", Cell(item.registeredAt.short)),
    ])
  }
}
