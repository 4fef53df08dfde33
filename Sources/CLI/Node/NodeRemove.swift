// `wharf node remove`

import ArgumentParser
import Hosting

struct NodeRemove: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "remove", "Take a node out for good.", example: "wharf node remove node-1 --powered-off",
    more: """
      While replicas are charged to it, only on your word that it is off: its devices are then \
      taken to be free, whatever still runs there.
      """)

  @Argument(help: "The node.", transform: Parse.name) var node: Name
  @Flag(help: "Your word that nothing runs there any more.") var poweredOff = false
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RemoveNode(node: node, poweredOff: poweredOff) }
  var done: String { "removed node \(node)" }
}
