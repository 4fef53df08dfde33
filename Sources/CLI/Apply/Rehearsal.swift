// `wharf apply --dry-run`: the commands of all documents so far, tried out by the server in one go. So
// each is decided on what those before it would leave, and a wish sees the things they would make.

import Hosting
import Wire

final class Rehearsal: Finding {
  private let client: Client
  private var calls: [CommandCall] = []

  init(_ client: Client) { self.client = client }

  func find<Things: Noun>(_ noun: Things.Type, _ name: String) async throws -> Things.Item? {
    let reply = try await client.dryRun(
      DryRunCall(calls: calls, show: DryRunCall.Show(path: noun.path, name: name)))
    return try reply.item.map { try Client.decode(Things.Item.self, $0.text) }
  }

  func moment() async throws -> Timestamp { try await client.moment() }

  /// What would come of some more commands; with the refusal of the one after them, if one would be.
  func add(_ more: [CommandCall]) async throws -> (
    steps: [DryRunReply.Step], refusal: Failure?
  ) {
    let before = calls.count
    let reply = try await client.dryRun(DryRunCall(calls: calls + more))
    // What would be refused leads to nothing for those after it.
    calls += more.prefix(reply.steps.count - before)
    return (Array(reply.steps.dropFirst(before)), reply.refusal.map(Failure.init))
  }
}
