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
  @Option(help: "At most so many.") var limit = 50
  @Option(
    help: ArgumentHelp("Only up to then: a position, time or mark.", valueName: "moment"))
  var asOf: String?
  @Flag(help: "Go on with those to come, until Ctrl-C.") var follow = false
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    try Parse.check(limit, in: 1...Int.max, "--limit")
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
    guard after == nil, stream == nil, type == nil else {
      return try await gather(client, from: after ?? .empty)
    }
    // A person who may not see all of them finds fewer in as many positions: then it is looked further back.
    let head = try await client.read(ItemReply<WhoamiItem>.self, "whoami", moment).position
    var span = Int64(limit)
    while true {
      let (events, last) = try await gather(client, from: Position(max(0, head.value - span)))
      if events.count >= limit || span >= head.value { return (events, last) }
      span *= Self.spanGrowth
    }
  }

  private static let spanGrowth: Int64 = 4

  private func gather(
    _ client: Client, from start: Position
  ) async throws -> ([EventItem], Position) {
    var events: [EventItem] = []
    var from = start
    while true {
      let reply = try await page(client, after: from)
      events += reply.items
      if after != nil, events.count >= limit {
        return (Array(events.prefix(limit)), reply.position)
      }
      if events.count > limit { events.removeFirst(events.count - limit) }
      guard reply.items.count == Self.pageLimit, let last = reply.items.last else {
        return (events, reply.position)
      }
      from = last.position
    }
  }

  private func page(_ client: Client, after: Position) async throws -> ItemsReply<EventItem> {
    try await client.read(
      ItemsReply<EventItem>.self, "events",
      [("after", "\(after)"), ("limit", "\(Self.pageLimit)")]
        + filter)
  }

  private var moment: [(String, String)] { asOf.map { [("asOf", $0)] } ?? [] }

  private var filter: [(String, String)] {
    moment + (stream.map { [("stream", $0)] } ?? []) + (type.map { [("type", $0)] } ?? [])
  }

  /// The stream of events, begun anew from the last checkpoint whenever it breaks.
  private func go(on client: Client, past start: Position) async throws {
    var position = start
    while true {
      try await client.lines("events/stream", [("after", "\(position)")] + filter) { line in
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
