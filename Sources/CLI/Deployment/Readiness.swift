// Waiting until what was asked of a deployment is so.

import Glibc
import Hosting
import Time
import Wire

enum Readiness {
  /// Until all wanted replicas are ready; then says how long that took.
  static func wait(
    for name: Name, since began: Clocks.Instant, _ client: Client, _ waiting: WaitOptions,
    _ output: OutputOptions
  ) async throws {
    var told = ""
    try await waiting.poll(since: began, client) {
      let item = try await read(name, client)
      guard let item, item.deletedAt == nil else {
        throw Failure(
          .refused, "deployment \(name) was deleted meanwhile",
          help: "see by whom: wharf history deployment \(name)")
      }
      if item.ready >= item.wanted, item.replicas.count == item.wanted {
        if output.isForPeople {
          Terminal.say("\(item.ready) of \(item.wanted) replicas ready in \(Elapsed.since(began))")
        }
        return nil
      }
      let standing = "\(item.ready) of \(item.wanted) replicas ready" + reason(item)
      if standing != told, !output.quiet { Terminal.note(standing) }
      told = standing
      return Failure(
        .timedOut, "deployment \(name): \(standing) after \(waiting.timeout) s",
        help: "wharf why deployment \(name)")
    }
  }

  /// Until one replica is ready, whatever its neighbours wait for.
  static func wait(
    forReplica replica: String, of name: Name, since began: Clocks.Instant,
    _ client: Client, _ waiting: WaitOptions, _ output: OutputOptions
  ) async throws {
    var told = ""
    try await waiting.poll(since: began, client) {
      let item = try await read(name, client)
      guard let one = item?.replicas.first(where: { $0.name == replica }) else {
        throw Failure(
          .refused, "replica \(replica) is wanted no more",
          help: "see what was changed: wharf history deployment \(name)")
      }
      if one.phase == AttemptPhase.ready.rawValue {
        if output.isForPeople {
          Terminal.say("\(replica) is ready in \(Elapsed.since(began))")
        }
        return nil
      }
      let why = one.waiting.map { WaitingText.words($0) } ?? one.lastFailure
      let standing = "\(replica) is \(one.phase)" + (why.map { ": \($0)" } ?? "")
      if standing != told, !output.quiet { Terminal.note(standing) }
      told = standing
      return Failure(
        .timedOut, "\(standing), after \(waiting.timeout) s", help: "wharf why replica \(replica)")
    }
  }

  /// Until the deployment has left, with everything that it held.
  static func waitUntilGone(
    _ name: Name, since began: Clocks.Instant, _ client: Client, _ waiting: WaitOptions,
    _ output: OutputOptions
  ) async throws {
    try await waiting.poll(since: began, client) {
      guard let item = try await read(name, client) else {
        if output.isForPeople { Terminal.say("gone in \(Elapsed.since(began))") }
        return nil
      }
      return Failure(
        .timedOut,
        "deployment \(name) is not gone after \(waiting.timeout) s: "
          + "\(item.stopping.count) \(item.stopping.count == 1 ? "attempt is" : "attempts are") "
          + "still stopping",
        help: "wharf deployment show \(name)")
    }
  }

  private static func read(_ name: Name, _ client: Client) async throws -> DeploymentItem? {
    try await client.find(DeploymentNoun.self, name.text)
  }

  private static func reason(_ item: DeploymentItem) -> String {
    let waiting = DeploymentNoun.waiting(item)
    if !waiting.isEmpty { return "; waiting: \(waiting)" }
    let failing = item.replicas.first { $0.lastFailure != nil }?.lastFailure
    return failing.map { "; last failure: \($0)" } ?? ""
  }
}
