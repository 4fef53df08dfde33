// What proofs are made of: the signed head, the digests of rows, and the exact rows of one thing for
// whoever may see its history.

import EventLog
import Hosting
import Hummingbird
import Wire

struct ProofRoutes: Sendable {
  let source: ReadSource
  let signer: HeadSigner

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("head") { request, _ in try await head(request) }
    routes.get("digests") { request, _ in try await digests(request) }
  }

  private func head(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let witness = context.head.witness
    let recordedAt = context.head.state.recordedAt
    let note = try signer.note(
      era: witness.era, position: witness.position, hash: witness.hash, recordedAt: recordedAt)
    return context.reply(
      item: HeadItem(
        era: witness.era, position: witness.position, hash: witness.hash, recordedAt: recordedAt,
        note: note, key: signer.verifierKey))
  }

  /// A digest gives nothing of its row away: every row holds an id that nobody can guess.
  private func digests(_ request: Request) async throws -> Response {
    let context = try await source.context(request)
    let after = Position(Int64(try request.wholeNumber("after") ?? 0))
    let limit = try request.wholeNumber("limit") ?? DigestsItem.longest
    guard (1...DigestsItem.longest).contains(limit) else {
      throw APIError.badParameter("limit", String(limit), wanted: "1 to \(DigestsItem.longest)")
    }
    guard after <= context.head.state.position, let before = try await source.reader.hash(at: after)
    else {
      throw APIError(
        .badRequest, "positionAhead",
        "there is no position \(after) yet: the log ends at \(context.head.state.position)",
        help: "name one up to there")
    }
    let reader = source.reader
    let item = try await source.budgets.scans.scan(by: context.principal) {
      var item = DigestsItem(after: after, before: before, digests: [])
      while item.digests.count < limit {
        let wanted = min(LogReader.pageLimit, limit - item.digests.count)
        let page = try await reader.events(after: after + item.digests.count, limit: wanted)
        item.digests += page.map { Chain.digest(of: $0) }
        if page.count < wanted { break }
      }
      return item
    }
    return context.reply(item: item)
  }
}
