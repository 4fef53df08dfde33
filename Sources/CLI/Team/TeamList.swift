// `wharf team list`

import ArgumentParser
import Hosting

struct TeamList: ListVerb {
  typealias Things = TeamNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the teams.", example: "wharf team list --as-of 2025-05-01")

  @Option(help: "Only of this audience.") var audience: Audience?
  @Option(help: "Only with a grant for this model.", transform: Parse.model)
  var model: ModelReference?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("audience", audience), Filter("model", model?.description)]
  }
}
