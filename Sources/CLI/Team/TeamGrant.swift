// `wharf team grant`

import ArgumentParser
import Hosting

struct TeamGrant: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "grant", "Let a team use a model; a second grant replaces the first.",
    example: "wharf team grant copilot xai/grok-3 --requests-per-minute 600")

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @Option(help: "Over all gateways together, within any 60 s; no limit when absent.")
  var requestsPerMinute: Int?
  @Option(
    help:
      "Over all gateways together; what one answer uses beyond is waited out. No limit when absent."
  )
  var tokensPerMinute: Int?
  @Option(help: "What it is used for; inference when absent.") var workload: Workload?
  @Option(help: "The moment it ends: \(Parse.momentHelp).", transform: Parse.date)
  var until: Timestamp?
  @OptionGroup var sending: SendOptions

  func command() -> any Command {
    GrantAccess(
      team: team, model: model, workload: workload,
      quota: Quota(requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute),
      until: until)
  }

  var done: String { "granted \(team) access to \(model)" }
}
