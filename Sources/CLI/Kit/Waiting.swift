// `--wait`: looking again with every change until it is so, or for too long.

import ArgumentParser
import Hosting
import Program
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

  /// Looks until `check` gives none; past the timeout, what it gave last is thrown.
  func poll(
    since began: ContinuousClock.Instant, everyMilliseconds pause: Int,
    _ check: () async throws -> Failure?
  ) async throws {
    let deadline = began + .seconds(timeout)
    while let failure = try await check() {
      if ContinuousClock.now >= deadline { throw failure }
      try await Task.sleep(for: .milliseconds(pause))
    }
  }
}

enum Elapsed {
  /// `41 ms`, `3.4 s`
  static func since(_ began: ContinuousClock.Instant) -> String {
    text(ContinuousClock.now - began)
  }

  static func text(_ elapsed: Duration) -> String {
    let milliseconds = Int(elapsed / .milliseconds(1))
    if milliseconds < 1_000 { return "\(milliseconds) ms" }
    return "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
  }
}
