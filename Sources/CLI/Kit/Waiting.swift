// `--wait`: looking again with every change until it is so, or for too long.

import ArgumentParser
import Hosting
import Program
import Time
import Wire

struct WaitOptions: ParsableArguments {
  static let longestSeconds = 86_400
  static let standardSeconds = 300

  @Flag(help: "Return only when it has taken effect.") var wait = false

  @Option(
    name: .customLong("timeout"),
    help: ArgumentHelp(
      "How long to wait, as 90s or 5m, with --wait; 5m when absent.", valueName: "time"),
    transform: Lengths.whole(.seconds, in: 1...Self.longestSeconds))
  var asked: Span?

  /// In seconds.
  var timeout: Int { Int((asked ?? Span(Self.standardSeconds, .seconds)).seconds) }

  func validate() throws {
    if asked != nil, !wait {
      throw ValidationError("--timeout is how long --wait waits: give --wait, too")
    }
  }

  /// Between two looks at least, in milliseconds, and more the longer it takes, up to the second.
  static let pauses = 10...1_000
  /// So long a part of what was waited already is one pause.
  static let pauseShare = 20

  static func pause(after elapsed: Duration) -> Duration {
    max(
      .milliseconds(pauses.lowerBound),
      min(elapsed / pauseShare, .milliseconds(pauses.upperBound)))
  }

  /// Looks until `check` gives none; past the timeout, what it gave last is thrown. Between two looks it rests
  /// until there may be something new, which is for wharfd to tell; however often there is, looks do not come
  /// closer than the pause.
  ///
  /// - Parameter rest: returns when there may be something new, or after the time that is left.
  func poll(
    since began: Clocks.Instant,
    rest: (_ left: Duration) async throws -> Void = { _ in }, _ check: () async throws -> Failure?
  ) async throws {
    let deadline = began + .seconds(timeout)
    while let failure = try await check() {
      let now = clocks.now
      if now >= deadline { throw failure }
      try await clocks.sleep(for: min(Self.pause(after: now - began), deadline - now))
      try await rest(max(.zero, deadline - clocks.now))
    }
  }

  /// The same, of what changes only with the log.
  func poll(
    since began: Clocks.Instant, _ client: Client, _ check: () async throws -> Failure?
  ) async throws {
    try await poll(
      since: began,
      rest: { left in
        if left > .zero { try await client.wait(past: client.seen, upTo: left) }
      }, check)
  }
}

enum Elapsed {
  /// `41 ms`, `3.4 s`
  static func since(_ began: Clocks.Instant) -> String {
    text(clocks.now - began)
  }

  static func text(_ elapsed: Duration) -> String {
    let milliseconds = Int(elapsed / .milliseconds(1))
    if milliseconds < 1_000 { return "\(milliseconds) ms" }
    return "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
  }
}
