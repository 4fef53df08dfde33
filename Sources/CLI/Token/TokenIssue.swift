// `wharf token issue`

import ArgumentParser
import Hosting
import Program
import Wire

struct TokenIssue: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "issue", "Make another token of yours; it is made here and shown once.",
    example: "export WHARF_TOKEN=$(wharf token issue --name laptop --expires 90d -q)",
    more: "Only its digest is sent. Asked for with a token that ends, it must end no later.")

  static let use = Secret.Use.person

  @Option(help: "What the token is called.", transform: Parse.name) var name: Name
  @Option(
    help: ArgumentHelp(
      "How long it is good: 90d or 12h; \(Lengths.bounds(.hours, in: 1...IssueToken.longestValidHours)). "
        + "Without, until it is revoked.", valueName: "time"),
    transform: Lengths.whole(.hours, in: 1...IssueToken.longestValidHours))
  var expires: Span?
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) throws -> any Command {
    try IssueToken(
      name: name, token: secret.digest, prefix: secret.shownPrefix,
      validHours: expires?.whole(.hours))
  }

  var done: String {
    "issued token \(name), good " + (expires.map { "for \($0)" } ?? "until it is revoked")
  }

  func amends(_ made: Stream?) -> String { "wharf token revoke \(name)" }
}
