// `wharf gateway powered-off`

import ArgumentParser
import Hosting

struct GatewayPoweredOff: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "powered-off", "Vouch that a gateway runs nowhere: nobody waits for its leases any more.",
    example: "wharf gateway powered-off edge-1",
    more: """
      For one that died and is not heard, where a revocation waits for it. Make sure first: what still \
      runs may serve by an older policy until its lease and grace are over.
      """)

  @Argument(help: "The gateway, also one that was removed.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { VouchGatewayOff(gateway: name) }
  var done: String { "noted that gateway \(name) is off" }
}
