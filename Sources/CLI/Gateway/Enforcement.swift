// Waiting until every gateway enforces what was revoked.

import Hosting
import Wire

enum Enforcement {
  /// Between two looks: gateways take milliseconds.
  private static let pauseMilliseconds = 10

  /// Until each known gateway enforces the position, or its lease has run out and it serves
  /// nothing; then says on how many, how long that took, and whose lease it was.
  static func wait(
    for position: Position, since began: ContinuousClock.Instant, _ client: Client,
    _ waiting: WaitOptions, _ output: OutputOptions
  ) async throws {
    try await waiting.poll(since: began, everyMilliseconds: pauseMilliseconds) {
      let items = try await client.read(
        ItemsReply<EnforcementItem>.self, "gateways/enforced", [("position", "\(position)")]
      ).items
      let open = items.filter { !$0.holds(position) }
      if open.isEmpty {
        if !output.quiet, output.output == .table || output.output == .wide {
          Terminal.say(text(items, position, Elapsed.since(began)))
        }
        return nil
      }
      let names = open.map(\.gateway.text).joined(separator: ", ")
      let lease = Int((open.map(\.leaseSeconds).max() ?? 0).rounded(.up))
      return Failure(
        .timedOut, "not yet enforced after \(waiting.timeout) s by: \(names)",
        help: "it is for certain in \(lease) s at most, when the last lease has run out")
    }
  }

  static func text(_ items: [EnforcementItem], _ position: Position, _ elapsed: String) -> String {
    if items.isEmpty { return "no gateway is known: nothing is served" }
    let enforcing = items.filter { item in item.enforced.map { $0 >= position } ?? false }
    let expired = items.filter { !enforcing.contains($0) }.map(\.gateway.text)
    let line = "enforced on \(enforcing.count) of \(items.count) gateways in \(elapsed)"
    return expired.isEmpty
      ? line
      : "\(line); serving nothing, for its lease has run out: \(expired.joined(separator: ", "))"
  }
}
