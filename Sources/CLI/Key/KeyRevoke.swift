// `wharf key revoke`

import ArgumentParser
import Hosting
import Wire

struct KeyRevoke: EndsServing {
  static let configuration = CommandConfiguration.verb(
    "revoke", "End a key; --wait returns when every gateway refuses it.",
    example: "wharf key revoke copilot --name laptop --wait")

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { RevokeKey(team: team, name: name) }
  var done: String { "revoked key \(name) of \(team)" }
}
