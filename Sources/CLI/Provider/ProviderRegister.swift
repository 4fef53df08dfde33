// `wharf provider register`

import ArgumentParser
import Hosting

struct ProviderRegister: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "register", "Make a provider known.", example: "wharf provider register xai --name xAI")

  @Argument(help: "The name that commands call it.", transform: Parse.name) var provider: Name
  @Option(help: "How people read it.", transform: Parse.text) var name: Text?
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RegisterProvider(name: provider, title: name) }
  var done: String { "registered provider \(provider)" }
}
