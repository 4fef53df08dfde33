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

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("events") { request, _ in try await events(request) }
    routes.get("history/:kind/**") { request, context in
      try await history(
        request, kind: context.parameters.require("kind"), name: PathText.rest(context)
      ) { EventItem($0, names: $1.state) }
    }
    routes.get("rows/:kind/**") { request, context in
      try await history(
        request, kind: context.parameters.require("kind"), name: PathText.rest(context)
      ) { event, _ in RowItem(position: event.position, row: Chain.row(event).hexadecimal) }
    }
  }

  private func events(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let page = try Page(request)
    guard let text = request.uri.queryParameters["stream"].map(String.init) else {
      return context.reply(
        items: try await read(page, of: nil, context).map { EventItem($0, names: context.state) })
    }
    guard let stream = Stream(text) else {
      throw APIError.badParameter("stream", text, wanted: "a stream, as provider/17")
    }
    return context.reply(
      items: try await read(page, of: stream, context).map { EventItem($0, names: context.state) })
  }

  private func history<Item: Codable & Sendable>(
    _ request: Request, kind: String, name: String, item: (StoredEvent, ReadContext) -> Item
  ) async throws -> Response {
    let context = try await source.context(request)
    let unknown = APIError(.unknown(kind.shortened(to: 40), name), at: context.state.position)
    guard let kind = Kind(rawValue: kind), let stream = context.state.stream(kind, named: name)
    else { throw unknown }
    let about = Mentions(stream)
    guard context.visibility.sees(about, model: try await models(of: about, context)) else {
      throw unknown
    }
    let page = try Page(request, limit: LogReader.pageLimit)
    return context.reply(
      items: try await read(page, of: stream, context).map { item($0, context) })
  }

  private struct Page {
    let after: Position
    let limit: Int

    init(_ request: Request, limit standard: Int = EventRoutes.defaultLimit) throws {
      after = Position(Int64(try request.wholeNumber("after") ?? 0))
      limit = try request.wholeNumber("limit") ?? standard
      guard (1...LogReader.pageLimit).contains(limit) else {
        throw APIError.badParameter("limit", String(limit), wanted: "1 to \(LogReader.pageLimit)")
      }
    }
  }

  /// One page of what may be seen, up to the state that the reply speaks of. Reads on where events
  /// were left out, so that a short page means the end.
  private func read(
    _ page: Page, of stream: Stream?, _ context: ReadContext
  ) async throws -> [StoredEvent] {
    var items: [StoredEvent] = []
    var after = page.after
    while items.count < page.limit {
      let wanted = page.limit - items.count
      let stored =
        if let stream {
          try await source.reader.events(of: stream, after: after, limit: wanted)
        } else {
          try await source.reader.events(after: after, limit: wanted)
        }
      for event in stored where event.position <= context.state.position {
        if try await isVisible(event, context) {
          items.append(event)
        }
      }
      guard let last = stored.last, stored.count == wanted, last.position < context.state.position
      else { break }
      after = last.position
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
  init(_ event: StoredEvent, names state: HostingState) {
    self.init(
      position: event.position, stream: event.stream, type: event.type,
      data: RawJSON(text: event.data), metadata: RawJSON(text: event.metadata),
      actor: event.actor.description, actorName: state.name(of: event.actor),
      commandID: event.commandID, recordedAt: event.recordedAt, hash: event.hash)
  }
}
