// Events as they stand in the log: all, of one stream, or the history of a named thing. What the
// asker may not know of is left out, and never counted.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct EventRoutes: Sendable {
  static let defaultLimit = 100

  let source: ReadSource
  let bell: LogBell
  let readers: ReaderBook

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("events") { request, _ in try await events(request) }
    routes.get("events/stream") { request, _ in
      try await EventStream(routes: self, page: Page(request)).response(to: request)
    }
    routes.get("history/:kind/**") { request, context in
      try await history(
        request, kind: context.parameters.require("kind"), name: PathText.rest(context)
      ) { try EventItem($0, $1, source.reader.keys) }
    }
    routes.get("rows/:kind/**") { request, context in
      try await history(
        request, kind: context.parameters.require("kind"), name: PathText.rest(context)
      ) { event, _ in RowItem(position: event.position, row: Chain.row(event).hexadecimal) }
    }
  }

  private func events(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    var page = try Page(request)
    if let since = request.uri.queryParameters["since"].map(String.init) {
      page.after = max(page.after, try await source.position(before: since, context.head))
    }
    if let until = request.uri.queryParameters["until"].map(String.init) {
      let (position, _) = try await source.resolve(until, context.head)
      page.end = min(page.end ?? position, position)
    }
    return context.reply(
      items: try await read(page, context).map {
        try EventItem($0, context, source.reader.keys)
      })
  }

  private func history<Item: Codable & JSONWritable & Sendable>(
    _ request: Request, kind: String, name: String, item: (StoredEvent, ReadContext) throws -> Item
  ) async throws -> Response {
    let context = try await source.context(request)
    let unknown = APIError(.unknown(kind.shortened(to: 40), name), at: context.state.position)
    guard let kind = Kind(rawValue: kind),
      let stream = try await stream(kind, named: name, context)
    else { throw unknown }
    var page = try Page(request, limit: LogReader.pageLimit)
    page.filter = EventFilter(stream: stream)
    return context.reply(items: try await read(page, context).map { try item($0, context) })
  }

  /// The stream of a thing, also of one that is gone: then of the last that had the name.
  private func stream(
    _ kind: Kind, named text: String, _ context: ReadContext
  ) async throws -> Stream? {
    func isVisible(_ stream: Stream) async throws -> Bool {
      let about = Mentions(stream)
      return context.visibility.sees(about, model: try await models(of: about, context))
    }
    if let stream = context.state.stream(kind, named: text) {
      return try await isVisible(stream) ? stream : nil
    }
    // Of what is gone the log alone knows that it was there.
    if let id = Stream(text) ?? Position(text: text).map({ Stream(kind, $0) }), id.kind == kind,
      try await isVisible(id),
      let first = try await source.reader.events(of: id, after: .empty, limit: 1).first,
      first.position <= context.state.position
    {
      return id
    }
    guard let type = Self.naming[kind], let name = try? Name(text) else { return nil }
    let (reader, end) = (source.reader, context.state.position)
    let gone = try await source.budgets.scans.scan(by: context.principal) {
      try await reader.streams(begunBy: type, named: name, upTo: end)
    }
    for stream in gone where try await isVisible(stream) { return stream }
    return nil
  }

  /// The events that name what may leave the state.
  private static let naming: [Kind: String] = [
    .deployment: DeploymentCreated.type, .node: NodeJoined.type,
    .gateway: GatewayRegistered.type, .key: KeyIssued.type,
  ]

  /// What a request asks for: `after` and `limit`, or with `last=true` the last ones; `since` and `until`; and
  /// `stream`, `kind`, `type` and `actor` to filter by.
  struct Page {
    var after: Position
    /// The last position that is asked for; none: the last there is.
    var end: Position?
    let limit: Int
    let areLast: Bool
    var filter = EventFilter.all

    init(_ request: Request, limit standard: Int = EventRoutes.defaultLimit) throws {
      after = Position(Int64(try request.wholeNumber("after") ?? 0))
      limit = try request.wholeNumber("limit") ?? standard
      guard (1...LogReader.pageLimit).contains(limit) else {
        throw APIError.badParameter("limit", String(limit), wanted: "1 to \(LogReader.pageLimit)")
      }
      areLast = try request.named("last", "true or false") { Bool($0) } ?? false
      filter.actor = try request.named("actor", "an actor, as person/17, node/9 or wharfd") {
        Actor($0)
      }
      filter.stream = try request.named("stream", "a stream, as provider/17") { Stream($0) }
      filter.kinds = try request.namedAll("kind", "kinds of streams, as team,key") {
        Kind(rawValue: $0)
      }
      filter.types = try request.namedAll("type", "types of events, as accessGranted") {
        EventTypes.named($0)?.type
      }
    }
  }

  /// The next events that match and may be seen, up to the state that the reply speaks of. Reads on
  /// where some were left out, so that a short page means the end.
  private func read(_ page: Page, _ context: ReadContext) async throws -> [StoredEvent] {
    if page.areLast { return try await readBack(page, context) }
    let first = try await next(page, after: page.after, having: 0, context)
    guard !first.isLast else { return first.events }
    // Where a look at one part of the log is not enough, it may take all of it.
    return try await source.budgets.scans.scan(by: context.principal) {
      var (items, after) = (first.events, first.checkpoint)
      while true {
        try Task.checkCancellation()
        let more = try await next(page, after: after, having: items.count, context)
        items += more.events
        if more.isLast { return items }
        after = more.checkpoint
      }
    }
  }

  /// The last events that match and may be seen.
  private func readBack(_ page: Page, _ context: ReadContext) async throws -> [StoredEvent] {
    let end = min(page.end ?? context.state.position, context.state.position)
    let first = try await before(end, page, having: 0, context)
    guard !first.isLast else { return first.events }
    return try await source.budgets.scans.scan(by: context.principal) {
      var (items, end) = (first.events, first.checkpoint)
      while true {
        try Task.checkCancellation()
        let more = try await before(end, page, having: items.count, context)
        items = more.events + items
        if more.isLast { return items }
        end = more.checkpoint
      }
    }
  }

  private func before(
    _ end: Position, _ page: Page, having count: Int, _ context: ReadContext
  ) async throws -> Part {
    guard end > page.after, count < page.limit else {
      return Part(events: [], checkpoint: end, isLast: true)
    }
    let (found, start) = try await source.reader.lastPage(
      of: page.filter, after: page.after, through: end, limit: page.limit - count,
      window: SubscriptionOptions().windowEvents)
    let events = try await visible(found, context)
    return Part(
      events: events, checkpoint: start,
      isLast: start <= page.after || count + events.count >= page.limit)
  }

  private struct Part {
    let events: [StoredEvent]
    let checkpoint: Position
    let isLast: Bool
  }

  private func next(
    _ page: Page, after: Position, having count: Int, _ context: ReadContext
  ) async throws -> Part {
    let end = min(page.end ?? context.state.position, context.state.position)
    guard after < end, count < page.limit else {
      return Part(events: [], checkpoint: after, isLast: true)
    }
    let next = try await source.reader.page(
      of: page.filter, after: after, limit: page.limit - count,
      window: SubscriptionOptions().windowEvents)
    let events = try await visible(next.events.filter { $0.position <= end }, context)
    return Part(
      events: events, checkpoint: next.checkpoint,
      isLast: next.checkpoint >= end || count + events.count >= page.limit)
  }

  func visible(_ events: [StoredEvent], _ context: ReadContext) async throws -> [StoredEvent] {
    var items: [StoredEvent] = []
    for event in events where try await isVisible(event, context) {
      items.append(event)
    }
    return items
  }

  private func isVisible(_ event: StoredEvent, _ context: ReadContext) async throws -> Bool {
    if context.visibility == .everything { return true }
    let mentions = Mentions(of: try event.decoded(), on: event.stream)
    return context.visibility.sees(mentions, model: try await models(of: mentions, context))
  }

  /// Which models the mentioned deployments are of. One that is gone is looked up in the log: its
  /// id is the position of the event that made it.
  private func models(
    of mentions: Mentions, _ context: ReadContext
  ) async throws -> (ID<Deployment>) -> ID<Model>? {
    var found: [ID<Deployment>: ID<Model>] = [:]
    for id in mentions.deployments where context.visibility != .everything {
      if let model = context.head.state.deployments[id]?.model {
        found[id] = model
      } else if id.position > .empty {
        let before = Position(id.position.value - 1)
        let event = try await source.reader.events(after: before, limit: 1).first
        found[id] = (try event?.decoded() as? DeploymentCreated)?.model
      }
    }
    return { [found] in found[$0] }
  }
}

extension EventItem {
  /// As people read it: personal data is open or forgotten, and not as it is stored.
  init(_ event: StoredEvent, names state: HostingState, _ keys: PersonKeys) throws {
    let (data, metadata) = try keys.shown(event)
    self.init(
      position: event.position, stream: event.stream, type: event.type,
      data: RawJSON(text: data), metadata: RawJSON(text: metadata),
      actor: event.actor.description, actorName: state.name(of: event.actor),
      commandID: event.commandID, recordedAt: event.recordedAt, hash: event.hash)
  }

  /// The event as the caller may read it.
  init(_ event: StoredEvent, _ context: ReadContext, _ keys: PersonKeys) throws {
    try self.init(event, names: context.state, keys)
    guard context.visibility != .everything, event.stream.kind == .person,
      let type = EventTypes.named(event.type),
      let told = context.visibility.redacted(
        try EventTypes.decode(
          type: event.type, schemaVersion: type.schemaVersion, data: data.text), on: event.stream)
    else { return }
    data = RawJSON(text: told.jsonBytes)
  }
}
