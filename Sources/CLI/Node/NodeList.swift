// `wharf node list`

import ArgumentParser

struct NodeList: ListVerb {
  typealias Things = NodeNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the nodes.", example: "wharf node list -o wide")

  @OptionGroup var reading: ReadOptions
}
