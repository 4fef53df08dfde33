// The reads: lists and shows of every noun, events, history, status. Each is answered from one state.

import EventLog
import Foundation
import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird
import Wire

struct ReadRoutes: Sendable {
  let source: ReadSource
  let address: String

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("status") { request, _ in try await status(request) }
    routes.get("events") { request, _ in try await events(request) }
    routes.get("history/:kind/**") { request, context in
      try await history(
        request, kind: context.parameters.require("kind"), name: Self.rest(context))
    }
    noun(routes, "providers", \.providers) { ProviderItem($0) }
    noun(routes, "persons", \.persons) { PersonItem($0) }
  }

  /// `GET /v1/NOUNS` and `GET /v1/NOUNS/NAME` of a noun with plain names.
  private func noun<Element: PlainlyNamed, Item: Codable & Sendable>(
    _ routes: RouterGroup<some RequestContext>, _ path: String,
    _ catalog: @escaping @Sendable (HostingState) -> Catalog<Element>,
    _ item: @escaping @Sendable (Element) -> Item
  ) {
    routes.get("\(path)") { request, _ in
      let context = try await source.context(request)
      let items = catalog(context.state).sorted.map(item)
      return Response.json(
        ItemsReply(position: context.state.position, items: items).jsonBytes, head: context.head)
    }
    routes.get("\(path)/:name") { request, parameters in
      let context = try await source.context(request)
      let text = try Self.decoded(parameters.parameters.require("name"))
      guard let name = try? Name(text), let element = catalog(context.state).named(name) else {
        throw APIError(.unknown(Element.kind, text), at: context.state.position)
      }
      return Response.json(
        ItemReply(position: context.state.position, item: item(element)).jsonBytes,
        head: context.head)
    }
  }

  private func status(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let state = context.state
    let standing =
      switch context.head.standing {
      case .starting: "starting"
      case .following: "following"
      case .leading: "leading"
      }
    let item = StatusItem(
      era: state.log.era?.position ?? .empty, hash: context.head.hash, standing: standing,
      leader: state.log.leader?.address,
      you: state.name(of: context.principal.actor) ?? context.principal.actor.description,
      role: context.principal.role,
      counts: ["providers": state.providers.count, "persons": state.persons.count])
    return .json(
      ItemReply(position: state.position, item: item).jsonBytes, head: context.head)
  }

  private func events(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let limit = try Self.number(request, "limit") ?? 100
    let position = Position(Int64(try Self.number(request, "after") ?? 0))
    guard (1...LogReader.pageLimit).contains(limit) else {
      throw APIError.badParameter("limit", String(limit), wanted: "1 to \(LogReader.pageLimit)")
    }
    let stored: [StoredEvent]
    if let text = request.uri.queryParameters["stream"].map(String.init) {
      guard let stream = Stream(text) else {
        throw APIError.badParameter("stream", text, wanted: "a stream, as provider/17")
      }
      stored = try await source.reader.events(of: stream, after: position, limit: limit)
    } else {
      stored = try await source.reader.events(after: position, limit: limit)
    }
    return Self.reply(stored, context)
  }

  private func history(_ request: Request, kind: String, name: String) async throws -> Response {
    let context = try await source.context(request)
    guard let kind = Kind(rawValue: kind), let stream = context.state.stream(kind, named: name)
    else {
      throw APIError(
        Refusal(
          "unknownName", "there is no \(kind) named '\(name.shortened(to: 80))'"),
        at: context.state.position)
    }
    let after = Position(Int64(try Self.number(request, "after") ?? 0))
    let stored = try await source.reader.events(
      of: stream, after: after, limit: LogReader.pageLimit)
    return Self.reply(stored, context)
  }

  /// Events past the state that the reply speaks of are left out: the reply is one prefix.
  private static func reply(_ stored: [StoredEvent], _ context: ReadContext) -> Response {
    let items = stored.filter { $0.position <= context.state.position }
      .map { EventItem($0, names: context.state) }
    return .json(
      ItemsReply(position: context.state.position, items: items).jsonBytes, head: context.head)
  }

  static func number(_ request: Request, _ name: String) throws -> Int? {
    guard let text = request.uri.queryParameters[Substring(name)].map(String.init) else {
      return nil
    }
    guard let position = Position(text: text) else {
      throw APIError.badParameter(name, text, wanted: "a whole number")
    }
    return Int(position.value)
  }

  private static func rest(_ context: some RequestContext) throws -> String {
    try decoded(context.parameters.getCatchAll().joined(separator: "/"))
  }

  private static func decoded(_ text: String) throws -> String {
    guard let plain = text.removingPercentEncoding else {
      throw APIError.badParameter("name", text, wanted: "a percent-encoded name")
    }
    return plain
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
