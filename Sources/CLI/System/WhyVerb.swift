// `wharf why`: why something is as it is, by the same functions that decide it.

import ArgumentParser
import Hosting
import Wire

struct WhyVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "why", "Say why a deployment or replica is as it is, or a team may use a model or not.",
    example: "wharf why deployment grok")

  enum Subject: String, CaseIterable, ExpressibleByArgument { case deployment, replica, team }

  @Argument(help: "deployment, replica or team.") var kind: Subject
  @Argument(help: "Its name.", transform: Parse.thing) var name: ThingName
  @Argument(help: "Of a team: the PROVIDER/MODEL that it may use or not.", transform: Parse.model)
  var model: ModelReference?
  @OptionGroup var reading: ReadOptions

  func validate() throws {
    if kind == .team, model == nil {
      throw ValidationError("say which model: wharf why team \(name.text) PROVIDER/MODEL")
    }
    if kind != .team, let model {
      throw ValidationError("a \(kind.rawValue) has one name: '\(model)' is too many")
    }
  }

  func run() async throws {
    let query = model.map { [("model", $0.modelText)] } ?? []
    try await reading.show("why/\(kind.rawValue)/\(name.inPath)", query) { body, terminal in
      let reply = try Client.decode(ItemReply<WhyItem>.self, body)
      return reading.output.quiet ? reply.item.verdict : WhyText.render(reply.item, terminal)
    }
  }
}

enum WhyText {
  static func render(_ item: WhyItem, _ terminal: Terminal) -> String {
    var lines = ["\(Tint.strong.applied(to: item.subject, terminal)): \(item.verdict)"]
    // Of one replica the verdict says it all.
    lines += item.facts.filter { !$0.hasSuffix(": \(item.verdict)") }.map { "  \($0)" }
    if !item.nodes.isEmpty {
      lines.append("")
      lines.append(Tint.strong.applied(to: "NODES", terminal))
      let width = item.nodes.map { TextWidth.columns($0.node) }.max() ?? 0
      for node in item.nodes {
        let name = TextWidth.padded(node.node, to: width)
        let rules = node.rules.isEmpty ? "would do" : node.rules.joined(separator: "; ")
        lines.append("\(name)  \(rules)")
      }
    }
    if !item.help.isEmpty {
      lines.append("")
      lines += item.help.map { "help: \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
