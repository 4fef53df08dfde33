// What may be read of secrets that were given out: one's own tokens; by admins, everybody's; and the join
// tokens that could still be used. Never a secret, nor its digest.

import EventLog
import HashTreeCollections
import Hosting
import Hummingbird
import Wire

struct TokenRoutes: Sendable {
  let source: ReadSource

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("tokens") { request, _ in try await tokens(request) }
    routes.get("persons/:name/tokens") { request, context in
      try await tokens(request, of: PathText.decoded(context.parameters.require("name")))
    }
    routes.get("join-tokens") { request, _ in try await joinTokens(request) }
  }

  /// `GET /v1/tokens`: the asker's; with `everybody=true` those of all.
  private func tokens(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let everybody = try request.named("everybody", "true or false") { Bool($0) } ?? false
    if everybody {
      try requireAdmin(context)
      return context.reply(
        items: context.state.persons.sorted.flatMap { items(of: $0, context) })
    }
    return context.reply(items: own(context).map { items(of: $0, context) } ?? [])
  }

  /// `GET /v1/persons/NAME/tokens`
  private func tokens(_ request: Request, of name: String) async throws -> Response {
    let context = try await source.context(request)
    let found = Shelves.persons.find(context.view, name).flatMap { item in
      Stream(item.id).flatMap { context.state.persons[ID($0.origin)] }
    }
    if let found, found.id == own(context)?.id {
      return context.reply(items: items(of: found, context))
    }
    try requireAdmin(context)
    guard let found else {
      throw APIError(.unknown(.person, name), at: context.state.position)
    }
    return context.reply(items: items(of: found, context))
  }

  private func own(_ context: ReadContext) -> Person? {
    guard case .of(let stream) = context.principal.actor, stream.kind == .person else { return nil }
    return context.state.persons[ID(stream.origin)]
  }

  private func requireAdmin(_ context: ReadContext) throws {
    guard context.principal.role == .admin else {
      throw APIError(
        .forbidden, "notAllowed", "only an admin sees the tokens of others",
        help: "see your own: wharf token list", at: context.state.position)
    }
  }

  private func items(of person: Person, _ context: ReadContext) -> [TokenItem] {
    let uses = source.authentication.uses
    return person.tokens.filter { $0.isGood(at: context.moment) }.map { token in
      TokenItem(
        token, of: person, isPresented: token.secret == context.principal.credential,
        lastUsed: context.isOfThePast ? nil : uses.last(of: token.secret),
        watchedSince: context.isOfThePast ? nil : uses.since)
    }
  }

  private func joinTokens(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let items = context.state.joinTokens.filter { context.moment < $0.value.until }
      .sorted { $0.key < $1.key }.map { JoinTokenItem($0.value, id: $0.key) }
    return context.reply(items: items)
  }
}
