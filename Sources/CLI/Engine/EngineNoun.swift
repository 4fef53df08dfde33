// `wharf engine`: how inference servers are started.

import ArgumentParser
import Hosting
import Wire

struct EngineNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "engine", abstract: "Templates of how inference servers are started.",
    subcommands: [EngineDefine.self, EngineList.self, EngineShow.self])

  static let path = "engines"

  static var columns: [Column<EngineItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("TASKS") { Cell(tasks($0)) },
      Column("COMMAND") { Cell($0.launch.command.joined(separator: " ")) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func document(_ item: EngineItem) -> [UInt8]? {
    EngineTemplate(item.launch, tasks: item.tasks).jsonBytes
  }

  static func details(_ item: EngineItem) -> Details {
    let ready = item.launch.readiness
    var details = Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)), ("tasks", Cell(tasks(item))),
      ("command", Cell(item.launch.command.joined(separator: " "))),
      (
        "ready when",
        Cell(
          "GET \(ready.path) answers 200" + (ready.listsModel ? " and /v1/models lists it" : ""))
      ),
      ("asked every", Cell("\(ready.periodMilliseconds) ms")),
      ("given up after", Cell("\(ready.deadlineSeconds) s")),
      ("killed after", Cell("\(item.launch.stopGraceSeconds) s")),
      ("lives while", item.launch.liveness.map { Cell(lives($0, ready.path)) }),
      ("waited for", item.launch.waits.map { Cell(waited($0)) }),
    ])
    details.add(
      "ENVIRONMENT", ["NAME", "VALUE"],
      item.launch.environment.sorted { $0.key < $1.key }.map { [Cell($0.key), Cell($0.value)] })
    return details
  }

  private static func lives(_ liveness: Launch.Liveness, _ readyPath: String) -> String {
    let request = liveness.request.map {
      " and POST \($0.path) within \($0.timeoutSeconds) s"
    }
    return "GET \(liveness.path ?? readyPath)\(request ?? "") answers 200, asked every "
      + "\(liveness.periodSeconds) s from \(liveness.graceSeconds) s on; hung after "
      + "\(liveness.failures) in vain"
  }

  private static func waited(_ waits: Launch.Waits) -> String {
    "\(waits.firstByteSeconds) s for the first byte, \(waits.idleSeconds) s for each next part, "
      + "\(waits.wholeSeconds) s for all"
  }

  private static func tasks(_ item: EngineItem) -> String {
    item.tasks.map(\.rawValue).joined(separator: ", ")
  }
}
