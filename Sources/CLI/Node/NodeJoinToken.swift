// `wharf node join-token`

import ArgumentParser
import Hosting
import Program
import Wire

struct NodeJoinToken: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "join-token", "Make a token that lets one agent join, once.",
    example: "wharf node join-token --valid 2h -q > join-token")

  static let use = Secret.Use.join

  @Option(
    name: [.customLong("valid"), .customLong("valid-hours")],
    help: ArgumentHelp(
      "How long it can be used; \(Lengths.bounds(.hours, in: 1...IssueJoinToken.longestValidHours)), 24h "
        + "when absent.", valueName: "time"),
    transform: Lengths.whole(.hours, in: 1...IssueJoinToken.longestValidHours))
  var valid = Span(24, .hours)
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) throws -> any Command {
    try IssueJoinToken(
      token: secret.digest, validHours: valid.whole(.hours), prefix: secret.shownPrefix)
  }

  var done: String { "made a join token, good for \(valid)" }

  func amends(_ made: Stream?) -> String {
    "wharf node revoke-join-token \(made?.description ?? "ID")"
  }
}
