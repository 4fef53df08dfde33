// `wharf deployment`: what is to be served, and how many replicas of it.

import ArgumentParser
import Hosting
import Wire

struct DeploymentNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "deployment", abstract: "Model versions to be served, with so many replicas.",
    subcommands: [
      DeploymentCreate.self, DeploymentScale.self, DeploymentDelete.self, DeploymentList.self,
      DeploymentShow.self,
    ])

  static let path = "deployments"

  static var columns: [Column<DeploymentItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("MODEL") { Cell("\($0.model):\($0.version)") },
      Column("READY") { ready($0) },
      Column("WAITING FOR") { Cell(standing($0)) },
      Column("CREATED") { Cell($0.createdAt.short) },
      Column("WORKLOAD", wide: true) { Cell($0.workload.rawValue) },
      Column("EXCLUSIVE", wide: true) { Cell($0.exclusive ? "yes" : "no") },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: DeploymentItem) -> Details {
    var details = Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      ("model", Cell("\(item.model):\(item.version)")), ("ready", ready(item)),
      ("workload", Cell(item.workload.rawValue)),
      ("exclusive", item.exclusive ? Cell("yes") : nil), ("created", Cell(item.createdAt.short)),
      (
        "deleted",
        item.deletedAt.map {
          Cell("\($0.short); gone when the last replica has stopped", .warning)
        }
      ),
    ])
    details.add(
      "REPLICAS", ["NAME", "PHASE", "NODE", "DEVICES", "ENDPOINT", "WHY"],
      item.replicas.map { replica in
        [
          Cell(replica.name, .strong), ReplicaNoun.phase(replica), Cell(replica.node),
          Cell(replica.devices.joined(separator: ",")), Cell(replica.endpoint),
          Cell(ReplicaNoun.why(replica)),
        ]
      })
    details.addStopping(item.stopping)
    return details
  }

  private static func ready(_ item: DeploymentItem) -> Cell {
    if item.deletedAt != nil { return Cell("deleted", .bad) }
    return Cell("\(item.ready)/\(item.wanted)", item.ready < item.wanted ? .warning : .good)
  }

  /// What waits, what is under way, and what stops.
  private static func standing(_ item: DeploymentItem) -> String {
    let underway = Dictionary(
      grouping: item.replicas.filter {
        $0.waiting == nil && $0.phase != AttemptPhase.ready.rawValue
      },
      by: \.phase)
    var parts = [waiting(item)].filter { !$0.isEmpty }
    for (phase, replicas) in underway.sorted(by: { $0.key < $1.key }) {
      let dated = replicas.compactMap { replica in replica.since.map { ($0, replica) } }
      guard let longest = dated.min(by: { $0.0 < $1.0 })?.1 ?? replicas.first else { continue }
      parts.append(
        WaitingText.words(
          phase, replicas.count, since: longest.since, longest.name, longest.node))
    }
    if let first = item.stopping.first {
      parts.append(
        "\(item.stopping.count) stopping: \(first.replica) \(first.waits ?? "is to end")")
    }
    return parts.joined(separator: "; ")
  }

  /// Each reason once, the most frequent first.
  static func waiting(_ item: DeploymentItem) -> String {
    let reasons = Dictionary(grouping: item.replicas.compactMap(\.waiting)) { $0 }
    return reasons.sorted { ($1.value.count, $0.key.rawValue) < ($0.value.count, $1.key.rawValue) }
      .map { "\($0.value.count) \(WaitingText.words($0.key))" }.joined(separator: "; ")
  }
}

extension Details {
  /// What is to stop, and what its end waits for.
  mutating func addStopping(_ items: [StoppingItem]) {
    add(
      "STOPPING", ["REPLICA", "NODE", "HOLDS", "WHAT ITS END WAITS FOR", "WHY", "ATTEMPT"],
      items.map {
        [
          Cell($0.replica), Cell($0.node), Cell($0.devices?.joined(separator: ",")),
          Cell($0.waits ?? $0.phase.rawValue), Cell($0.reason), Cell("\($0.attempt)", .dim),
        ]
      })
  }
}
