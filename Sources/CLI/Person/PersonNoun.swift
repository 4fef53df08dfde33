// `wharf person`: who may do what here.

import ArgumentParser
import Hosting
import Wire

struct PersonNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "person", abstract: "People and their roles.",
    subcommands: [PersonInvite.self, PersonDisable.self, PersonList.self, PersonShow.self])

  static let path = "persons"

  static var columns: [Column<PersonItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("ROLE") { Cell($0.role.rawValue) },
      Column("STATUS") { status($0) },
      Column("INVITED") { Cell($0.invitedAt.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: PersonItem) -> Details {
    Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      ("role", Cell(item.role.rawValue)), ("status", status(item)),
      ("invited", Cell(item.invitedAt.short)),
    ])
  }

  private static func status(_ item: PersonItem) -> Cell {
    switch item.status {
    case .active: Cell(item.status.rawValue, .good)
    case .invited: Cell(item.status.rawValue, .warning)
    case .disabled: Cell(item.status.rawValue, .bad)
    }
  }
}
