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
      Column("STATE") { state($0) },
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
      "PROCESSES", ["AT", "SINCE", "INCARNATION", "STATE"],
      item.processes.map {
        [
          Cell($0.address), Cell($0.startedAt.short), Cell($0.incarnation, .dim),
          $0.state.map(cell) ?? "-",
        ]
      })
    for help in item.processes.compactMap({ $0.state?.help }) { details.help(help) }
    return details
  }

  static func cell(_ state: GatewayState) -> Cell {
    let tint: Tint =
      switch state.code {
      case .serving: .good
      case .mayServe: .dim
      case .silent, .absent: .warning
      case .over: .bad
      }
    return Cell(state.words, tint)
  }

  /// Of several processes first those that are not well.
  private static func state(_ item: GatewayItem) -> Cell {
    let states = item.processes.compactMap(\.state)
    if item.processes.isEmpty { return Cell("no process of it may serve", .warning) }
    guard let first = states.first(where: { !$0.isWell }) ?? states.first else { return "-" }
    let others = states.count - 1
    return Cell(cell(first).text + (others > 0 ? "; and \(others) more" : ""), cell(first).tint)
  }
}
