// `wharf model list`

import ArgumentParser
import Hosting

struct ModelList: ListVerb {
  typealias Things = ModelNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the models.", example: "wharf model list -o wide")

  @Option(help: "Only of this provider.", transform: Parse.name) var provider: Name?
  @Option(help: "Only in this state: embargoed, published, deprecated or retired.") var status:
    String?
  @Option(help: "Only what is published to teams of this audience.") var audience: Audience?
  @Option(help: "Only those for this task.") var task: ModelTask?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [
      Filter("provider", provider?.text), Filter("status", status), Filter("audience", audience),
      Filter("task", task),
    ]
  }
}
