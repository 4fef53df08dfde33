// `wharf node uncordon`

import ArgumentParser
import Hosting

struct NodeUncordon: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "uncordon", "Open a node for new replicas again.", example: "wharf node uncordon node-1")

  @Argument(help: "The node.", transform: Parse.name) var node: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { UncordonNode(node: node) }
  var done: String { "uncordoned node \(node)" }
}
