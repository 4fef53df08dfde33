// `wharf node accept-era`

import ArgumentParser
import Hosting

struct NodeAcceptEra: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "accept-era", "Let a node be steered by this log, though its agent saw more of an earlier one.",
    example: "wharf node accept-era node-1 --reason 'restored from Tuesday'",
    more: """
      After a restore an agent that saw what is gone changes nothing and raises an alarm. Look at \
      what runs there first: what this log does not know of is stopped.
      """)

  @Argument(help: "The node.", transform: Parse.name) var node: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { AcceptEra(node: node) }
  var done: String { "let node \(node) follow this era" }
}
