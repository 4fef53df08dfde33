// `wharf replica`: where each replica runs, or why it does not.

import ArgumentParser
import Hosting
import Wire

struct ReplicaNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "replica", abstract: "Replicas of deployments: where they run, or why not.",
    subcommands: [ReplicaRestart.self, ReplicaList.self, ReplicaShow.self])

  static let path = "replicas"

  static var columns: [Column<ReplicaItem>] {
    [
      Column("NAME") { Cell($0.name, .strong) },
      Column("PHASE") { phase($0) },
      Column("SINCE") { Cell($0.since?.short) },
      Column("NODE") { Cell($0.node) },
      Column("DEVICES") { Cell($0.devices.joined(separator: ",")) },
      Column("FAILURES") { Cell($0.failures) },
      Column("WHY") { Cell(why($0)) },
      Column("ENDPOINT", wide: true) { Cell($0.endpoint) },
      Column("ATTEMPT", wide: true) { Cell($0.attempt?.description) },
    ]
  }

  static func details(_ item: ReplicaItem) -> Details {
    var details = Details(fields: [
      ("name", Cell(item.name, .strong)), ("id", Cell(item.id)),
      ("deployment", Cell(item.deployment.text)), ("phase", phase(item)),
      ("since", item.since.map { Cell($0.short) }),
      ("waiting for", item.waiting.map { Cell(WaitingText.words($0)) }),
      ("waiting since", item.waitingSince.map { Cell($0.short) }),
      ("node", item.node.map { Cell($0) }),
      ("devices", item.devices.isEmpty ? nil : Cell(item.devices.joined(separator: ", "))),
      ("attempt", item.attempt.map { Cell("\($0)") }), ("endpoint", item.endpoint.map { Cell($0) }),
      ("which means", item.reason.map { Cell($0) }),
      ("placed", item.placedAt.map { Cell($0.short) }),
      ("ready since", item.readyAt.map { Cell($0.short) }),
      ("failures in a row", item.failures > 0 ? Cell(item.failures) : nil),
      ("last failure", item.lastFailure.map { Cell($0) }),
      ("its last words", item.lastLog.map { Cell($0) }),
    ])
    details.addStopping(item.stopping ?? [])
    return details
  }

  static func phase(_ item: ReplicaItem) -> Cell {
    switch item.phase {
    case AttemptPhase.ready.rawValue: Cell(item.phase, .good)
    case AttemptPhase.unhealthy.rawValue, AttemptPhase.ended.rawValue: Cell(item.phase, .bad)
    default: Cell(item.phase, .warning)
    }
  }

  static func why(_ item: ReplicaItem) -> String {
    if let waiting = item.waiting {
      let words = WaitingText.words(waiting)
      return item.lastFailure.map { "\(words); last: \($0)" } ?? words
    }
    let older = item.stopping ?? []
    let stopping = older.first.map { first in
      (older.count == 1
        ? "one of before is stopping on" : "\(older.count) of before are stopping, the first on")
        + " \(first.node): it \(first.waits ?? "is to end")"
    }
    return [item.reason, stopping].compactMap { $0 }.joined(separator: "; ")
  }
}
