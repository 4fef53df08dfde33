// `wharf team quota`

import ArgumentParser
import Hosting

struct TeamQuota: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "quota", "Set a team's limits over all models together; what is left out has no limit.",
    example: "wharf team quota copilot --tokens-per-minute 1000000")

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "Over all gateways together, within any 60 s; no limit when absent.")
  var requestsPerMinute: Int?
  @Option(
    help:
      "Over all gateways together; what one answer uses beyond is waited out. No limit when absent."
  )
  var tokensPerMinute: Int?
  @OptionGroup var sending: SendOptions

  func command() -> any Command {
    SetQuota(
      team: team,
      quota: Quota(requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute))
  }

  var done: String { "set the quota of \(team)" }
}
