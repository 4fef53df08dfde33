// `wharf model`: models, their versions, and whom they are opened to.

import ArgumentParser
import Hosting
import Wire

struct ModelNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Models, their versions and audiences.",
    subcommands: [
      ModelOnboard.self, ModelAddVersion.self, ModelPublish.self, ModelAlias.self,
      ModelUnalias.self,
      ModelDeprecate.self, ModelRetire.self, ModelList.self, ModelShow.self,
    ])

  static let path = "models"

  static var columns: [Column<ModelItem>] {
    [
      Column("MODEL") { Cell($0.name, .strong) },
      Column("TASK") { Cell($0.task.rawValue) },
      Column("STATUS") { status($0) },
      Column("PUBLISHED") { Cell(published($0)) },
      Column("VERSIONS") { Cell($0.versions.map(\.label.text).joined(separator: ", ")) },
      Column("ONBOARDED") { Cell($0.onboardedAt.short) },
      Column("CONTEXT", wide: true) { Cell($0.contextLength) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: ModelItem) -> Details {
    var details = Details(fields: [
      ("model", Cell(item.name, .strong)), ("id", Cell(item.id)), ("status", status(item)),
      ("task", Cell(item.task.rawValue)),
      ("context", item.contextLength.map { Cell("\($0) tokens") }),
      ("published", Cell(published(item))), ("onboarded", Cell(item.onboardedAt.short)),
      ("deprecated", item.deprecatedAt.map { Cell($0.short) }),
      ("retired", item.retiredAt.map { Cell($0.short) }),
    ])
    details.add(
      "VERSIONS",
      ["VERSION", "ENGINE", "DEVICES", "CPU", "MEMORY", "ADDED", "SERVED AS", "WEIGHTS"],
      item.versions.map(version))
    details.add(
      "ALIASES", ["ALIAS", "VERSION", "SERVED AS"],
      item.aliases.map { alias in
        let version = item.versions.first { $0.label == alias.version }
        return [
          Cell(alias.alias, .strong), Cell(alias.version.text), Cell(version.flatMap(served)),
        ]
      })
    return details
  }

  private static func version(_ version: ModelItem.Version) -> [Cell] {
    let devices = "\(version.devices)x \(version.deviceMemory)"
    return [
      Cell(version.label.text, .strong), Cell(version.engine.text),
      Cell(version.devices == 0 ? "none" : devices), Cell("\(version.cpuMillis)m"),
      Cell("\(version.memory)"), Cell(version.addedAt.short), Cell(served(version)),
      Cell(version.weights.map { String($0.description.prefix(12)) }),
    ]
  }

  private static func served(_ version: ModelItem.Version) -> String? {
    version.deployments.flatMap { $0.isEmpty ? nil : $0.map(\.text).joined(separator: ", ") }
  }

  private static func status(_ item: ModelItem) -> Cell {
    switch item.status {
    case "published": Cell(item.status, .good)
    case "retired": Cell(item.status, .bad)
    default: Cell(item.status, .warning)
    }
  }

  private static func published(_ item: ModelItem) -> String {
    item.published.isEmpty
      ? "to nobody"
      : item.published.map { "\($0.audience.rawValue) (\($0.stage.rawValue))" }
        .joined(separator: ", ")
  }
}
