// `wharf gateway`: what answers teams.

import ArgumentParser
import Hosting
import Wire

struct GatewayNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "gateway", abstract: "What answers teams.",
    subcommands: [
      GatewayRegister.self, GatewayRemove.self, GatewayPoweredOff.self, GatewaySetGrace.self,
      GatewayList.self, GatewayShow.self,
    ])

  static let path = "gateways"

  static var columns: [Column<GatewayItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("PROCESSES") { Cell("\($0.processes.count)") },
      Column("AT") { Cell($0.processes.map(\.address).joined(separator: ", ")) },
      Column("REGISTERED") { Cell($0.registeredAt.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: GatewayItem) -> Details {
    var details = Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      ("registered", Cell(item.registeredAt.short)),
      (
        "grace",
        Cell("\(Span(item.graceSeconds, .seconds)) after its lease, while no leader answers")
      ),
    ])
    details.add(
      "PROCESSES", ["AT", "SINCE", "INCARNATION"],
      item.processes.map {
        [Cell($0.address), Cell($0.startedAt.short), Cell($0.incarnation, .dim)]
      })
    return details
  }
}
