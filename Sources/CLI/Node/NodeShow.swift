// `wharf node show`

import ArgumentParser

struct NodeShow: ShowVerb {
  typealias Things = NodeNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show a node, and what each device is charged to.", example: "wharf node show node-1")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
