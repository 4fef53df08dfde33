// `wharf token issue`

import ArgumentParser
import Hosting
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
      "How long it is good: 90d or 12h. Without, until it is revoked.", valueName: "span"),
    transform: Parse.hours) var expires: Int?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    try Parse.check(expires, in: 1...IssueToken.longestValidHours, "the hours of --expires")
  }

  func command(_ secret: Secret) -> any Command {
    IssueToken(
      name: name, token: secret.digest, prefix: secret.shownPrefix, validHours: expires)
  }

  var done: String {
    "issued token \(name), good " + (expires.map { "for \($0) h" } ?? "until it is revoked")
  }
}
