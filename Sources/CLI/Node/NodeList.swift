// `wharf node list`

import ArgumentParser
import Hosting

struct NodeList: ListVerb {
  typealias Things = NodeNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the nodes.", example: "wharf node list -o wide")

  @Option(help: "Only in this state: active, lost or cordoned.") var status: String?
  @Option(help: "Only where replicas of this deployment are.", transform: Parse.name)
  var deployment: Name?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("status", status), Filter("deployment", deployment?.text)]
  }
}
