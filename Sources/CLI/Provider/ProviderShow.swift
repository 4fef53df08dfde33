// `wharf provider show`

import ArgumentParser

struct ProviderShow: ShowVerb {
  typealias Things = ProviderNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show one provider.", example: "wharf provider show xai -o json")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
