// `wharf agreement show`

import ArgumentParser

struct AgreementShow: ShowVerb {
  typealias Things = AgreementNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show the last agreement with a provider.", example: "wharf agreement show xai")

  @Argument(help: "The provider, or an agreement's id.", transform: Parse.thing)
  var name: ThingName
  @OptionGroup var reading: ReadOptions
}
