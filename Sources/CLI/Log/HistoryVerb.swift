// `wharf history`: all that ever happened to one thing.

import ArgumentParser
import Hosting
import Wire

struct HistoryVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "history", "Show all that happened to one thing.", example: "wharf history team copilot")

  @Argument(
    help: "provider, agreement, engine, model, team, key, person, deployment, node, gateway.")
  var kind: HistoryKind
  @Argument(help: "Name or id; an id still works when the thing is gone.", transform: Parse.thing)
  var name: ThingName
  @OptionGroup var reading: ReadOptions

  func run() async throws {
    try await reading.show("history/\(kind.rawValue)/\(name.inPath)") { body, terminal in
      let reply = try Client.decode(ItemsReply<EventItem>.self, body)
      return EventText.render(reply.items, reading.output, terminal)
    }
  }
}

enum HistoryKind: String, CaseIterable, ExpressibleByArgument {
  case provider, agreement, engine, model, team, key, person, deployment, node, gateway
}
