// `wharf key issue`

import ArgumentParser
import Hosting
import Wire

struct KeyIssue: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "issue", "Make an API key for a team; it is made here and shown once.",
    example: "export KEY=$(wharf key issue copilot --name laptop -q)")

  static let use = Secret.Use.apiKey

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @Option(help: "The moment it ends: \(Parse.momentHelp).", transform: Parse.date)
  var until: Timestamp?
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) -> any Command {
    IssueKey(
      team: team, name: name, secret: secret.digest, prefix: secret.shownPrefix, until: until)
  }

  var done: String { "issued key \(name) of \(team)" }

  func amends(_ made: Stream?) -> String { "wharf key revoke \(team) --name \(name)" }
}
