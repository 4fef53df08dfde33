// `wharf gateway set-grace`

import ArgumentParser
import Hosting

struct GatewaySetGrace: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "set-grace", "Set how long gateways serve on when no leading wharfd answers.",
    example: "wharf gateway set-grace --minutes 15",
    more: """
      Counted from the end of a gateway's lease. While the database or the control plane is away, \
      gateways serve by what they know; a revocation with --wait waits as long for a gateway that is not \
      heard. 0 stops them when the lease ends.
      """)

  @Option(help: "How long, in minutes.") var minutes: Int?
  @Option(help: "How long, in seconds.") var seconds: Int?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    guard (minutes == nil) != (seconds == nil) else {
      throw ValidationError("give either --minutes or --seconds")
    }
    let longest = GatewayGrace.longestSeconds
    guard (0...longest).contains(seconds ?? 0), (0...longest / 60).contains(minutes ?? 0) else {
      throw ValidationError("a grace is 0 to \(longest / 60) minutes")
    }
  }

  private var grace: Int { seconds ?? (minutes ?? 0) * 60 }

  func command() -> any Command { SetGatewayGrace(seconds: grace) }
  var done: String { "gateways serve on for \(grace) s when no leader answers" }
}
