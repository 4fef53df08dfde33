// `wharf model show`

import ArgumentParser

struct ModelShow: ShowVerb {
  typealias Things = ModelNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show a model with its versions and aliases.", example: "wharf model show xai/grok-3")

  @Argument(help: "PROVIDER/MODEL or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
