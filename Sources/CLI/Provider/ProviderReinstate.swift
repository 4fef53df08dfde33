// `wharf provider reinstate`

import ArgumentParser
import Hosting

struct ProviderReinstate: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "reinstate", "End a provider's suspension.", example: "wharf provider reinstate xai")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { ReinstateProvider(provider: provider) }
  var done: String { "reinstated provider \(provider)" }
}
