// `wharf person`: who may do what here.

import ArgumentParser
import Hosting
import Wire

struct PersonNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "person", abstract: "People and their roles.",
    subcommands: [
      PersonInvite.self, PersonDisable.self, PersonForget.self, PersonList.self, PersonShow.self,
    ])

  static let path = "persons"

  static var columns: [Column<PersonItem>] {
    [
      Column("NAME") { Cell($0.name.shown, .strong) },
      Column("ROLE") { Cell($0.role.rawValue) },
      Column("STATUS") { status($0) },
      Column("INVITED") { Cell($0.invitedAt.short) },
      Column("EMAIL", wide: true) { Cell($0.email?.shown) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: PersonItem) -> Details {
    Details(fields: [
      ("name", Cell(item.name.shown, .strong)), ("id", Cell(item.id)),
      ("e-mail", Cell(item.email?.shown)),
      ("role", Cell(item.role.rawValue)), ("status", status(item)),
      ("invited", Cell(item.invitedAt.short)),
      ("forgotten", Cell(item.forgotten.map { "at position \($0)" })),
      ("erased", Cell(erased(item))),
    ])
  }

  private static func erased(_ item: PersonItem) -> String? {
    guard item.forgotten != nil else { return nil }
    return item.erased.map { "at position \($0)" } ?? "not yet: under way"
  }

  private static func status(_ item: PersonItem) -> Cell {
    switch item.status {
    case .active: Cell(item.status.rawValue, .good)
    case .invited: Cell(item.status.rawValue, .warning)
    case .disabled, .forgotten: Cell(item.status.rawValue, .bad)
    }
  }
}
