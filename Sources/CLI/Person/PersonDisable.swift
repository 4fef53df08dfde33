// `wharf person disable`

import ArgumentParser
import Hosting

struct PersonDisable: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "disable", "Accept nothing of a person any more.", example: "wharf person disable ada")

  @Argument(help: "The person.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { DisablePerson(name: name) }
  var done: String { "disabled \(name)" }
}
