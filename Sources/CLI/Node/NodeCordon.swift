// `wharf node cordon`

import ArgumentParser
import Hosting

struct NodeCordon: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "cordon", "Place nothing new on a node; what runs there runs on.",
    example: "wharf node cordon node-1 --reason 'new driver'")

  @Argument(help: "The node.", transform: Parse.name) var node: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { CordonNode(node: node) }
  var done: String { "cordoned node \(node)" }
}
