// `wharf gateway set-grace`

import ArgumentParser
import Hosting
import Program

struct GatewaySetGrace: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "set-grace", "Set how long gateways serve on when no leading wharfd answers.",
    example: "wharf gateway set-grace 15m",
    more: """
      Counted from the end of a gateway's lease. While the database or the control plane is away, \
      gateways serve by what they know; a revocation with --wait waits as long for a gateway that is not \
      heard. 0s stops them when the lease ends.
      """,
    usage: "wharf gateway set-grace <time> [<options>]")

  private static let range = 0...GatewayGrace.longestSeconds
  private static let read = Lengths.whole(.seconds, in: range)

  @Argument(
    help: ArgumentHelp("How long: 15m; \(Lengths.bounds(.seconds, in: range)).", valueName: "time"),
    transform: Self.read)
  var time: Span?
  @Option(
    name: [.customLong("minutes"), .customLong("seconds")], help: .hidden, transform: Self.read)
  var written: Span?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    guard (time == nil) != (written == nil) else {
      throw ValidationError("say once how long: wharf gateway set-grace 15m")
    }
  }

  private var grace: Span { time ?? written ?? .init(milliseconds: 0) }

  func command() throws -> any Command { try SetGatewayGrace(seconds: grace.whole(.seconds)) }
  var done: String { "gateways serve on for \(grace) when no leader answers" }
}
