// `wharf status`: the system on one screen.

import ArgumentParser
import Hosting
import Wire

struct StatusVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "status", "Show the system on one screen.", example: "wharf status --watch")

  @OptionGroup var reading: ReadOptions

  func run() async throws {
    try await reading.show("status") { body, terminal in
      let reply = try Client.decode(ItemReply<StatusItem>.self, body)
      return StatusText.render(reply.item, at: reply.position, reading.output, terminal)
    }
  }
}

enum StatusText {
  static func render(
    _ item: StatusItem, at position: Position, _ output: OutputOptions, _ terminal: Terminal
  ) -> String {
    if output.quiet { return "\(position)" }
    let counts = item.counts
    let leader = item.leader.map { "\($0)" } ?? "none"
    var details = Details(fields: [
      (
        item.hash == nil ? "as of" : "head",
        Cell("\(position) of era \(item.era), \(item.recordedAt.short)", .strong)
      ),
      ("hash", item.hash.map { Cell("\($0)", .dim) }),
      (
        "clock",
        item.aheadSeconds.map {
          let span = Span($0 < 600 ? $0 : $0 / 60 * 60, .seconds)
          return Cell(
            "the log is \(span) ahead of the database's clock: what waits, waits twice as long until both "
              + "meet, and dates fall due so much early", .warning)
        }
      ),
      ("leader", Cell(item.standing == "leading" ? leader : "\(leader) (asked: \(item.standing))")),
      ("you", Cell("\(item.you) (\(item.role.rawValue))")),
      (
        "hosting",
        Cell(
          "\(counted(counts.providers, "provider")), \(counted(counts.models, "model")), "
            + "\(counted(counts.teams, "team")), \(counted(counts.keys, "key"))")
      ),
      (
        "replicas",
        Cell(
          "\(counts.ready) of \(counts.replicas) ready in "
            + counted(counts.deployments, "deployment"),
          counts.ready < counts.replicas ? .warning : .good)
      ),
      (
        "capacity",
        Cell(
          "\(counts.freeDevices) of \(counted(counts.devices, "device")) free on "
            + "\(counted(counts.nodes, "node")), \(counted(counts.gateways, "gateway"))")
      ),
      (
        "gateways",
        counts.gatewayProcesses == 0
          ? nil
          : Cell(
            "\(counts.gatewayProcesses) may serve, for \(Span(item.graceSeconds, .seconds)) after a lease while no "
              + "leader answers")
      ),
    ])
    if let behind = item.behind, !behind.isEmpty {
      details.add(
        "BEHIND THE LOG", ["READER", "AT", "OF", "EVENTS", "SINCE"], behind.map(self.behind))
    }
    details.add(
      more("DEPLOYMENTS", item.deployments.count, counts.deployments),
      ["NAME", "MODEL", "READY", "WAITING FOR"], item.deployments.map(deployment))
    details.addStopping(item.stopping ?? [])
    details.add(
      more("NODES", item.nodes.count, counts.nodes), ["NAME", "STATUS", "DEVICES FREE"],
      item.nodes.map(node))
    details.add(
      more("GATEWAYS", item.gateways?.count ?? 0, item.gateways?.count ?? 0),
      ["NAME", "AT", "STATE"],
      (item.gateways ?? []).map {
        [Cell($0.name.text, .strong), Cell($0.address), GatewayNoun.cell($0.state)]
      })
    for line in help(item) { details.help(line) }
    return details.lines(terminal, fitting: output.output != .wide).joined(separator: "\n")
  }

  private static func more(_ title: String, _ shown: Int, _ all: Int) -> String {
    shown < all ? "\(title) (\(shown) of \(all))" : title
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private static let helpLimit = 5

  /// What to do next about what is not well: who is told of it can also say what would help.
  private static func help(_ item: StatusItem) -> [String] {
    var lines = item.deployments.filter { $0.ready < $0.wanted }.map {
      "what keeps \($0.name), and what would help: wharf why deployment \($0.name)"
    }
    lines += (item.gateways ?? []).compactMap { line in
      line.state.help.map { "gateway \(line.name): \($0)" }
    }
    let more = lines.count - helpLimit
    return Array(lines.prefix(helpLimit)) + (more > 0 ? ["and \(more) more"] : [])
  }

  private static func behind(_ line: StatusItem.BehindLine) -> [Cell] {
    [
      Cell(line.reader, .strong), Cell("\(line.position)"), Cell("\(line.head)"),
      Cell("\(line.head.value - line.position.value)", .warning), Cell(line.since.short),
    ]
  }

  private static func deployment(_ line: StatusItem.DeploymentLine) -> [Cell] {
    let waiting =
      line.waiting.map { "\($0.replicas) \(WaitingText.words($0.reason))" }
      + (line.underway ?? []).map {
        WaitingText.words($0.phase, $0.replicas, since: $0.since, $0.replica, $0.node)
          + ($0.reason.map { ": \($0)" } ?? "")
      }
    return [
      Cell(line.name.text, .strong), Cell(line.model),
      Cell("\(line.ready)/\(line.wanted)", line.ready < line.wanted ? .warning : .good),
      Cell(waiting.isEmpty ? "" : waiting.joined(separator: "; ")),
    ]
  }

  private static func node(_ line: StatusItem.NodeLine) -> [Cell] {
    [
      Cell(line.name.text, .strong),
      NodeText.status(
        line.status, cordoned: line.cordoned, alarm: line.alarm, troubles: line.troubles,
        silentSeconds: line.silentSeconds, missing: line.missing),
      NodeText.free(line.freeDevices, of: line.devices, stopping: line.stoppingDevices),
    ]
  }
}
