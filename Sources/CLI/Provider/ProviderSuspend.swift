// `wharf provider suspend`

import ArgumentParser
import Hosting

struct ProviderSuspend: EndsServing {
  static let configuration = CommandConfiguration.verb(
    "suspend", "Stop everything of a provider at once.",
    example: "wharf provider suspend xai --reason 'court order 17/25' --wait", more: proof)

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { SuspendProvider(provider: provider) }
  var done: String { "suspended provider \(provider)" }
}
