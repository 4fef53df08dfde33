// `wharf gateway powered-off`

import ArgumentParser
import Hosting

struct GatewayPoweredOff: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "powered-off", "Vouch that a gateway runs nowhere: nobody waits for its leases any more.",
    example: "wharf gateway powered-off edge-1 --process 9f2c41d07be35a68",
    more: """
      For one that died and is not heard, where a revocation waits for it. Make sure first: what still \
      runs may serve by an older policy until its lease and grace are over. Where several processes of \
      a gateway may serve, say which one is off: wharf gateway show edge-1.
      """)

  @Argument(help: "The gateway, also one that was removed.", transform: Parse.name) var name: Name
  @Option(
    help: ArgumentHelp(
      "The process that is off: its incarnation, or the first characters.",
      valueName: "incarnation"), transform: Parse.text)
  var process: Text?
  @Flag(help: "All processes of it are.") var all = false
  @OptionGroup var sending: SendOptions

  func validate() throws {
    if process != nil, all {
      throw ValidationError("--process names one, and --all means every one: choose one")
    }
  }

  func command() -> any Command {
    VouchGatewayOff(gateway: name, process: process, all: all ? true : nil)
  }
  var done: String {
    process.map { "noted that process \($0) of gateway \(name) is off" }
      ?? "noted that gateway \(name) is off"
  }
}
