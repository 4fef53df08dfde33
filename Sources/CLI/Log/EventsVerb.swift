// `wharf events`: what stands in the log.

import ArgumentParser
import Glibc
import Hosting
import Time
import Wire

struct EventsVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "events", "Show events of the log.", example: "wharf events --type accessGranted --follow",
    more: "Without --after, the last ones are shown.")

  private static let pageLimit = 1_000

  @Option(help: "Only events past this position.", transform: Parse.position) var after: Position?
  @Option(help: "Only of this stream, as provider/17.") var stream: String?
  @Option(help: ArgumentHelp("Only of this type, as accessGranted.", valueName: "type"))
  var type: String?
  @Option(
    help: ArgumentHelp("Only by this actor, as person/17, node/9 or wharfd.", valueName: "id"))
  var actor: String?
  @Option(help: ArgumentHelp("Only from then on: a position, time or mark.", valueName: "moment"))
  var since: String?
  @Option(help: ArgumentHelp("Only up to then.", valueName: "moment"))
  var until: String?
  @Option(help: "At most so many.") var limit = 50
  @Option(
    help: ArgumentHelp("Only up to then: a position, time or mark.", valueName: "moment"))
  var asOf: String?
  @Flag(help: "Go on with those to come, until Ctrl-C.") var follow = false
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try Parse.check(limit, in: 1...Int.max, "--limit")
    if let actor, Actor(actor) == nil {
      throw ValidationError(
        "'\(actor.shortened(to: 60))' is no actor: write person/17, node/9, gateway/4 or wharfd")
    }
    if follow, until != nil {
      throw ValidationError("--follow shows what comes, and --until what was: choose one")
    }
    if follow, asOf != nil {
      throw ValidationError("--follow shows what comes, and --as-of what was: choose one")
    }
    if let stream, Stream(stream) == nil {
      throw ValidationError("'\(stream.shortened(to: 60))' is no stream: write provider/17, or log")
    }
    if let type, EventTypes.named(type) == nil {
      throw ValidationError(
        "there is no event type '\(type.shortened(to: 60))': it is one of "
          + EventTypes.all.map { $0.type }.sorted().joined(separator: ", "))
    }
  }

  func run() async throws {
    let client = try Client(connection.connection())
    let (page, last) = try await gather(client)
    if !follow {
      let body = ItemsReply(position: last, items: page).jsonBytes
      return Terminal.say(
        try output.structured(body) ?? EventText.render(page, output, .current))
    }
    ReadOptions.endWithInterrupt()
    try page.forEach(tell)
    try await go(on: client, past: last)
  }

  /// Those after `after`, or the last ones; and the head they were read at.
  private func gather(_ client: Client) async throws -> ([EventItem], Position) {
    guard let after else { return try await last(client) }
    var events: [EventItem] = []
    var from = after
    while true {
      let reply = try await page(client, after: from)
      events += reply.items
      if events.count >= limit { return (Array(events.prefix(limit)), reply.position) }
      guard reply.items.count == Self.pageLimit, let last = reply.items.last else {
        return (events, reply.position)
      }
      from = last.position
    }
  }

  /// The last ones, backwards in pages.
  private func last(_ client: Client) async throws -> ([EventItem], Position) {
    var events: [EventItem] = []
    var until = until
    var head: Position?
    while true {
      let size = min(Self.pageLimit, limit - events.count)
      let reply = try await client.read(
        ItemsReply<EventItem>.self, "events",
        [("last", "true"), ("limit", "\(size)")] + filter(until: until))
      head = head ?? reply.position
      events = reply.items + events
      guard events.count < limit, reply.items.count == size, let first = reply.items.first,
        first.position.value > 1
      else { return (events, head ?? reply.position) }
      until = "\(first.position.value - 1)"
    }
  }

  private func page(_ client: Client, after: Position) async throws -> ItemsReply<EventItem> {
    try await client.read(
      ItemsReply<EventItem>.self, "events",
      [("after", "\(after)"), ("limit", "\(Self.pageLimit)")]
        + filter(until: until))
  }

  private var moment: [(String, String)] { asOf.map { [("asOf", $0)] } ?? [] }

  private func filter(until end: String?) -> [(String, String)] {
    let given = [
      ("stream", stream), ("type", type), ("actor", actor), ("since", since), ("until", end),
    ]
    return moment + given.compactMap { name, value in value.map { (name, $0) } }
  }

  /// The stream of events, begun anew from the last checkpoint whenever it breaks.
  private func go(on client: Client, past start: Position) async throws {
    var position = start
    while true {
      try await client.lines("events/stream", [("after", "\(position)")] + filter(until: nil)) {
        line in
        if let checkpoint = try? StreamCheckpoint(jsonBytes: line) {
          position = checkpoint.checkpoint
        } else {
          try tell(try Client.decode(EventItem.self, line))
        }
      }
      try await comesBack(client)
    }
  }

  /// Waits until the API answers again; throws why it did not within the time of a retry.
  private func comesBack(_ client: Client) async throws {
    let deadline = clocks.now + .seconds(Client.retrySeconds)
    while true {
      do {
        _ = try await client.read(ItemReply<WhoamiItem>.self, "whoami")
        return
      } catch let failure as Failure
        where failure.kind == .unreachable && clocks.now < deadline
      {
        try await clocks.sleep(for: .milliseconds(Client.longestPauseMilliseconds))
      }
    }
  }

  /// One event a line: JSON Lines for programs.
  private func tell(_ event: EventItem) throws {
    switch output.output {
    case .json where !output.quiet:
      Terminal.say(Structure.line(event.jsonBytes))
    case .yaml where !output.quiet:
      Terminal.say("---\n" + (try Structure.yaml(event.jsonBytes)))
    case .table, .wide, .json, .yaml:
      let why = EventText.reason(event.metadata).map { " — \($0)" } ?? ""
      Terminal.say(
        output.quiet
          ? "\(event.position)"
          : "\(event.position)  \(event.recordedAt.short)  \(event.actorName ?? event.actor)  "
            + "\(event.stream)  \(event.type)  \(EventText.summary(event.data))\(why)")
    }
  }
}
