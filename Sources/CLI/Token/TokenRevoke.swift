// `wharf token revoke`

import ArgumentParser
import Hosting

struct TokenRevoke: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "revoke", "End one token, as one that was lost; the others stay good.",
    example: "wharf token revoke laptop",
    more:
      "An admin ends one of somebody else's with --person. A token from before tokens had names is "
      + "called by the first characters that wharf token list shows.")

  @Argument(help: "Name, or first characters as listed.", transform: Parse.name) var token: Name
  @Option(help: "Whose it is, if not yours.", transform: Parse.person) var person: PersonReference?
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RevokeToken(token: token, person: person) }
  var done: String { "revoked token \(token)" + (person.map { " of \($0)" } ?? "") }
}
