// `wharf node join-token`

import ArgumentParser
import Hosting
import Wire

struct NodeJoinToken: SecretVerb {
  static let standardValidHours = 24

  static let configuration = CommandConfiguration.verb(
    "join-token", "Make a token that lets one agent join, once.",
    example: "wharf node join-token --valid-hours 2 -q > join-token")

  static let use = Secret.Use.join

  @Option(help: "How long it can be used.") var validHours = Self.standardValidHours
  @OptionGroup var sending: SendOptions

  func validate() throws {
    try Parse.check(validHours, in: 1...IssueJoinToken.longestValidHours, "--valid-hours")
  }

  func command(_ secret: Secret) -> any Command {
    IssueJoinToken(token: secret.digest, validHours: validHours, prefix: secret.shownPrefix)
  }

  var done: String { "made a join token, good for \(validHours) h" }
}
