// Waiting until every gateway enforces what was revoked.

import Hosting
import Time
import Wire

/// A verb that ends what gateways serve. With --wait it returns when that is proved.
protocol EndsServing: CommandVerb {
  var waiting: WaitOptions { get }
}

extension EndsServing {
  /// For the help of such a verb.
  static var proof: String {
    "With --wait it returns when every gateway enforces it, or serves nothing any more."
  }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Enforcement.wait(for: reply.position, since: began, client, waiting, sending.output)
    }
  }
}

enum Enforcement {
  /// A look is held by wharfd until it is so, or for so long.
  private static let heldSeconds = 10
  /// A gateway that took so long is told of: it may take as long as it may serve.
  private static let patienceSeconds = 2

  /// Until every process of a gateway that may serve enforces the position, or may serve no more; then
  /// says on how many, how long that took, and whose lease it was. Says early who is waited for.
  static func wait(
    for position: Position, since began: Clocks.Instant, _ client: Client,
    _ waiting: WaitOptions, _ output: OutputOptions
  ) async throws {
    var told: Set<String> = []
    try await waiting.poll(since: began) {
      let elapsed = clocks.now - began
      let left = .seconds(waiting.timeout) - elapsed
      // The first look ends when it is told who is waited for.
      let longest = elapsed < .seconds(patienceSeconds) ? patienceSeconds : heldSeconds
      let held = max(0, min(longest, Int(left / .seconds(1))))
      let items = try await client.read(
        ItemsReply<EnforcementItem>.self, "gateways/enforced",
        [("position", "\(position)"), ("wait", "\(held)")]
      ).items
      let open = items.filter { !$0.holds(position) }
      if open.isEmpty {
        if output.isForPeople {
          Terminal.say(text(items, position, Elapsed.since(began)))
        }
        return nil
      }
      if clocks.now - began >= .seconds(patienceSeconds) {
        for item in open where told.insert(name(item)).inserted {
          let end = Timestamp(
            microseconds: clocks.date.microseconds + Int64(item.leaseSeconds * 1_000_000))
          Terminal.note(waits(for: item, until: end))
        }
      }
      let names = open.map(name).joined(separator: ", ")
      let lease = Int((open.map(\.leaseSeconds).max() ?? 0).rounded(.up))
      return Failure(
        .timedOut, "not yet enforced after \(waiting.timeout) s by: \(names)",
        help:
          "it is for certain in \(lease) s at most, when the last lease and grace have run out; "
          + "a gateway that is off for certain: \(off(open))")
    }
  }

  /// `edge-1 (10.0.0.7:7480)`
  static func name(_ item: EnforcementItem) -> String {
    if item.isUnknown == true { return "gateways of before, which the log does not name" }
    return item.address.map { "\(item.gateway) (\($0))" } ?? item.gateway.text
  }

  private static let namedLimit = 4

  /// Each process by itself: another of the same gateway may run, and is not vouched for.
  private static func off(_ items: [EnforcementItem]) -> String {
    let more = items.count - namedLimit
    return items.prefix(namedLimit).map(off).joined(separator: ", or ")
      + (more > 0 ? ", and so on for \(more) more" : "")
  }

  static func off(_ item: EnforcementItem) -> String {
    if item.isUnknown == true { return "wharf gateway powered-off NAME" }
    return item.incarnation.map { GatewayProcess.commandThatItIsOff(item.gateway, $0) }
      ?? "wharf gateway powered-off \(item.gateway)"
  }

  static func waits(for item: EnforcementItem, until end: Timestamp) -> String {
    let heard = item.heardSeconds.map { "it was heard \(Int($0)) s ago" } ?? "it was not heard yet"
    let line =
      item.isUnknown == true
      ? "\(name(item)), may serve by an older policy until \(end.short)"
      : "\(name(item)) does not say that it enforces this (\(heard)): it may serve by an older policy "
        + "until \(end.short)"
    return item.isUnknown == true ? line : "\(line); if it is off for certain: \(off(item))"
  }

  static func text(_ items: [EnforcementItem], _ position: Position, _ elapsed: String) -> String {
    if items.isEmpty { return "no gateway serves: nothing is answered" }
    let enforcing = items.filter { item in item.enforced.map { $0 >= position } ?? false }
    let expired = items.filter { !enforcing.contains($0) }.map(name)
    let line = "enforced on \(enforcing.count) of \(items.count) gateways in \(elapsed)"
    return expired.isEmpty
      ? line
      : "\(line); serving nothing, for its lease has run out: \(expired.joined(separator: ", "))"
  }
}
