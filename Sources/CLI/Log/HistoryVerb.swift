// `wharf history`: all that ever happened to one thing.

import ArgumentParser
import Hosting
import Wire

struct HistoryVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "history", "Show all that happened to one thing.", example: "wharf history team copilot",
    more: """
      With --proof, JSON by which others can check with standard tools that these events stand in \
      the log, and see nothing of the others.
      """)

  @Argument(
    help: "provider, agreement, engine, model, team, key, person, deployment, node, gateway.")
  var kind: HistoryKind
  @Argument(
    help: "Name or id. When the thing is gone: of the last that had the name.",
    transform: Parse.thing)
  var name: ThingName
  @Flag(help: "Export a proof that these events stand in the log.") var proof = false
  @OptionGroup var reading: ReadOptions

  func validate() throws {
    if proof, reading.output.quiet || ![.table, .json].contains(reading.output.output) {
      throw ValidationError("--proof prints JSON, which neither -o nor -q changes")
    }
    if proof, reading.watch || reading.asOf != nil {
      throw ValidationError("--proof is of the whole history up to the head, as it is now")
    }
  }

  func run() async throws {
    if proof {
      let client = try Client(reading.connection.connection())
      let proof = try await ProofMaker(client: client).proof(of: kind, name)
      return Terminal.say(try Structure.json(proof.jsonBytes))
    }
    try await reading.show(
      "history/\(kind.rawValue)/\(name.inPath)", read: Self.allPages
    ) { body, terminal in
      let reply = try Client.decode(ItemsReply<EventItem>.self, body)
      return EventText.render(reply.items, reading.output, terminal)
    }
  }

  /// A reply holds at most so many events; the first one says up to which position all of it is.
  private static let eventsPerPage = 1_000

  private static func allPages(
    _ client: Client, _ path: String, _ query: [(String, String)]
  ) async throws -> [UInt8] {
    let first = try await client.get(path, query)
    var reply = try Client.decode(ItemsReply<EventItem>.self, first)
    var page = reply.items
    guard page.count == eventsPerPage else { return first }
    while page.count == eventsPerPage, let last = page.last {
      page = try await client.read(
        ItemsReply<EventItem>.self, path, query + [("after", "\(last.position)")]
      ).items
      reply.items += page.filter { $0.position <= reply.position }
    }
    return reply.jsonBytes
  }
}

enum HistoryKind: String, CaseIterable, ExpressibleByArgument {
  case provider, agreement, engine, model, team, key, person, deployment, node, gateway
}
