// `wharf gateway remove`

import ArgumentParser
import Hosting

struct GatewayRemove: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "remove", "Accept a gateway no more; it serves nothing once its lease has run out.",
    example: "wharf gateway remove edge-1")

  @Argument(help: "The gateway.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RemoveGateway(gateway: name) }
  var done: String { "removed gateway \(name)" }
}
