// `wharf gateway remove`

import ArgumentParser
import Hosting

struct GatewayRemove: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "remove",
    "Accept a gateway no more; it serves nothing once it hears that, or its lease is over.",
    example: "wharf gateway remove edge-1",
    more: "Until then it counts among those that may serve, and a revocation waits for it.")

  @Argument(help: "The gateway.", transform: Parse.name) var name: Name
  @Flag(help: "Vouch that it runs nowhere: nobody waits for its lease.") var poweredOff = false
  @OptionGroup var sending: SendOptions

  func command() -> any Command {
    RemoveGateway(gateway: name, poweredOff: poweredOff ? true : nil)
  }
  var done: String { "removed gateway \(name)" }
}
