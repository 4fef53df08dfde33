// The reads: lists and shows of every noun, and the status. Each is answered from one state, which
// holds only what the asker may know of.

import EventLog
import Foundation
import HTTPTypes
import Hosting
import Hummingbird
import Planner
import Time
import Wire

struct ReadRoutes: Sendable {
  let source: ReadSource
  let events: EventRoutes
  let address: String

  func add(to routes: RouterGroup<some RequestContext>) {
    shelf(Shelves.providers, routes)
    shelf(Shelves.agreements, routes)
    shelf(Shelves.engines, routes)
    shelf(Shelves.models, routes)
    shelf(Shelves.teams, routes)
    shelf(Shelves.persons, routes)
    shelf(Shelves.deployments, routes)
    shelf(Shelves.nodes, routes)
    shelf(Shelves.gateways, routes)
    shelf(Shelves.marks, routes)
    shelf(Shelves.keys, routes)
    shelf(Shelves.replicas, routes)
    routes.get("models/:name/:model") { request, context in
      let provider = try PathText.decoded(context.parameters.require("name"))
      let model = try PathText.decoded(context.parameters.require("model"))
      return try await show(Shelves.models, "\(provider)/\(model)", request)
    }
    routes.get("teams/:name/keys") { request, context in try await keys(request, context) }
    routes.get("teams/:name/keys/:key") { request, context in try await key(request, context) }
    routes.get("deployments/:name/replicas") { request, context in
      try await replicas(request, context)
    }
    routes.get("status") { request, _ in try await status(request) }
    routes.get("whoami") { request, _ in try await whoami(request) }
    events.add(to: routes)
    DiffRoute(source: source).add(to: routes)
    TokenRoutes(source: source).add(to: routes)
  }

  /// `GET /v1/NOUNS`, and `GET /v1/NOUNS/NAME` by name, id (`team%2F9`) or bare position.
  private func shelf<Item>(_ shelf: Shelf<Item>, _ routes: RouterGroup<some RequestContext>) {
    routes.get("\(shelf.path)") { request, _ in
      let query = try ListQuery(request, of: shelf)
      return try await source.answer(request) { try $0.reply(shelf, query) }
    }
    routes.get("\(shelf.path)/:name") { request, context in
      try await show(shelf, PathText.decoded(context.parameters.require("name")), request)
    }
  }

  private func show<Item>(
    _ shelf: Shelf<Item>, _ name: String, _ request: Request
  ) async throws -> Response {
    let context = try await source.context(request)
    guard let item = shelf.find(context.view, name) else {
      throw APIError(.unknown(Item.kind, name), at: context.state.position)
    }
    return context.reply(item: item)
  }

  /// `GET /v1/teams/TEAM/keys`: the same as `GET /v1/keys?team=TEAM`.
  private func keys(_ request: Request, _ parameters: some RequestContext) async throws -> Response
  {
    var query = try ListQuery(request, of: Shelves.keys, filters: [])
    query.filters = [("team", try PathText.decoded(parameters.parameters.require("name")))]
    return try await source.answer(request) { [query] in try $0.reply(Shelves.keys, query) }
  }

  /// `GET /v1/teams/TEAM/keys/NAME`
  private func key(_ request: Request, _ parameters: some RequestContext) async throws -> Response {
    let context = try await source.context(request)
    let team = try Shelves.find(
      PathText.decoded(parameters.parameters.require("name")), in: context.state.teams, context.view
    )
    let text = try PathText.decoded(parameters.parameters.require("key"))
    guard let key = (try? Name(text)).flatMap({ context.state.key($0, of: team.id) }) else {
      throw APIError(.unknown(.key, text), at: context.state.position)
    }
    return context.reply(item: KeyItem(key, context.view))
  }

  /// `GET /v1/deployments/NAME/replicas`: the same as `GET /v1/replicas?deployment=NAME`.
  private func replicas(
    _ request: Request, _ parameters: some RequestContext
  ) async throws -> Response {
    var query = try ListQuery(request, of: Shelves.replicas, filters: [])
    query.filters = [("deployment", try PathText.decoded(parameters.parameters.require("name")))]
    return try await source.answer(request) { [query] in try $0.reply(Shelves.replicas, query) }
  }

  private func status(_ request: Request) async throws -> Response {
    try await source.answer(request) { status($0) }
  }

  private func status(_ context: ReadContext) -> Response {
    let standing =
      switch context.head.standing {
      case .starting: "starting"
      case .following: "following"
      case .leading: "leading"
      }
    let isHead = context.state.position == context.head.state.position
    return context.reply(
      item: StatusItem(
        context.view, hash: isHead ? context.head.hash : nil,
        behind: isHead ? events.readers.behind.map(StatusItem.BehindLine.init) : nil,
        aheadSeconds: isHead
          ? context.head.clock?.aheadSeconds(at: source.clocks.now).map { Int($0) } : nil,
        standing: standing,
        you: Self.name(of: context.principal, in: context.head.state),
        role: context.principal.role))
  }

  /// Whose token it is: told to machines and the invited too, which may read nothing else.
  private func whoami(_ request: Request) async throws -> Response {
    var head = try await source.head(for: request)
    let principal = try await source.principal(of: request, &head)
    let item = WhoamiItem(
      id: principal.actor.description, name: Self.name(of: principal, in: head.state),
      role: principal.role)
    return .json(ItemReply(position: head.state.position, item: item).jsonBytes, head: head)
  }

  private static func name(of principal: Principal, in state: HostingState) -> String {
    state.name(of: principal.actor) ?? principal.actor.description
  }
}

extension StatusItem.BehindLine {
  fileprivate init(_ reader: BehindReader) {
    self.init(
      reader: reader.name, position: reader.position, head: reader.head, since: reader.since)
  }
}

extension ReadContext {
  func reply<Item>(_ shelf: Shelf<Item>, _ query: ListQuery) throws -> Response {
    let page = try shelf.page(view, query)
    let next = page.next?.text(in: shelf.path, sortedBy: query.sort)
    let understood = query.understood.isEmpty ? nil : query.understood
    if let fields = query.fields {
      let reply = ChosenReply(
        position: state.position, items: page.items, fields: fields, next: next,
        filters: understood)
      return .json(reply.jsonBytes, head: head)
    }
    let reply = ItemsReply(
      position: state.position, items: page.items, next: next, filters: understood)
    return .json(reply.jsonBytes, head: head)
  }

  func reply(items: [some Codable & JSONWritable & Sendable]) -> Response {
    .json(ItemsReply(position: state.position, items: items).jsonBytes, head: head)
  }

  func reply(item: some Codable & JSONWritable & Sendable) -> Response {
    .json(ItemReply(position: state.position, item: item).jsonBytes, head: head)
  }
}

extension Refusal {
  /// Nouns that have no stream of their own are unknown in the same words.
  static func unknown(_ noun: String, _ name: String) -> Refusal {
    if let kind = Kind(rawValue: noun) { return .unknown(kind, name) }
    return Refusal(
      "unknown\(noun.prefix(1).uppercased())\(noun.dropFirst())",
      "there is no \(noun) named '\(name.shortened(to: 80))'",
      help: noun == MarkItem.kind
        ? "list them with: wharf mark" : "list them with: wharf \(noun) list")
  }
}

/// Names in paths.
enum PathText {
  static func rest(_ context: some RequestContext) throws -> String {
    try decoded(context.parameters.getCatchAll().joined(separator: "/"))
  }

  static func decoded(_ text: String) throws -> String {
    guard let plain = text.removingPercentEncoding else {
      throw APIError.badParameter("name", text, wanted: "a percent-encoded name")
    }
    return plain
  }
}
