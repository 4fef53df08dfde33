// `wharf node`: machines that run replicas, and their devices.

import ArgumentParser
import Hosting
import Wire

struct NodeNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "node", abstract: "Machines that run replicas.",
    subcommands: [
      NodeJoinToken.self, NodeJoinTokens.self, NodeRevokeJoinToken.self, NodeCordon.self,
      NodeUncordon.self, NodeAcceptEra.self, NodeRemove.self,
      NodeList.self,
      NodeShow.self,
    ])

  static let path = "nodes"

  static var columns: [Column<NodeItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("STATUS") {
        NodeText.status(
          $0.status, cordoned: $0.cordoned, alarm: $0.alarm, troubles: $0.troubles,
          silentSeconds: $0.silentSeconds, missing: $0.missingDevices)
      },
      Column("DEVICES FREE") {
        NodeText.free($0.freeDevices, of: $0.devices.count, stopping: $0.stoppingDevices)
      },
      Column("MODEL") { Cell(Set($0.devices.map(\.model)).sorted().joined(separator: ", ")) },
      Column("CPU FREE") { Cell("\($0.freeCPUMillis)m/\($0.cpuMillis)m") },
      Column("MEMORY FREE") { Cell("\($0.freeMemory.short)/\($0.memory.short)") },
      Column("ADDRESS", wide: true) { Cell($0.address) },
      Column("GENERATION", wide: true) { Cell("\($0.generation)") },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: NodeItem) -> Details {
    var details = Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("id", Cell(item.id)),
      (
        "status",
        NodeText.status(
          item.status, cordoned: item.cordoned, alarm: item.alarm, silentSeconds: item.silentSeconds
        )
      ),
      ("missing", item.missingDevices.map { Cell("\(Node.vanished($0)) in use", .bad) }),
      ("alarm", item.alarm.map { Cell($0.value, .bad) }),
      (
        "trouble",
        item.troubles.map {
          Cell($0.map { "\($0.words): \($0.remedy)" }.joined(separator: "; "), .bad)
        }
      ),
      ("lost", item.lostAt.map { Cell($0.short, .bad) }), ("address", Cell(item.address)),
      ("cpu", Cell("\(item.freeCPUMillis)m of \(item.cpuMillis)m free")),
      ("memory", Cell("\(item.freeMemory.short) of \(item.memory.short) free")),
      ("attempts", Cell(item.attempts)), ("generation", Cell("\(item.generation)")),
    ])
    details.add(
      "DEVICES", ["DEVICE", "MODEL", "MEMORY", "CHARGED TO"],
      item.devices.map { device in
        [
          Cell(device.id, .strong), Cell(device.model), Cell(device.memory.short),
          charge(device),
        ]
      })
    return details
  }

  private static func charge(_ device: DeviceItem) -> Cell {
    guard device.charged else { return Cell("free", .good) }
    let holder = device.replica ?? "something"
    return Cell(device.stopping.map { "\(holder), stopping: it \($0)" } ?? holder, .warning)
  }
}
