// `wharf engine list`

import ArgumentParser
import Hosting

struct EngineList: ListVerb {
  typealias Things = EngineNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the engines.", example: "wharf engine list")

  @Option(help: "Only those for this task.") var task: ModelTask?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("task", task)]
  }
}
