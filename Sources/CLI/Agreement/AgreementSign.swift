// `wharf agreement sign`

import ArgumentParser
import Hosting
import Program

struct AgreementSign: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "sign", "Sign an agreement with a provider.",
    example: "wharf agreement sign xai --scope inference --audience internal --from 2025-05-01")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @Option(help: "What its models may be run for, with commas between.")
  var scope: Listed<Workload>
  @Option(help: "Whom they may be opened to, with commas between.")
  var audience: Listed<Audience>
  @Option(help: "The moment it begins: \(Parse.momentHelp).", transform: Parse.date)
  var from: Timestamp
  @Option(
    help: "The moment it ends: \(Parse.momentHelp); none: until it is terminated.",
    transform: Parse.date)
  var until: Timestamp?
  @Option(
    name: [.customLong("notice"), .customLong("notice-days")],
    help: ArgumentHelp(
      "How long before its end notice is given, as 90d; "
        + "\(Lengths.bounds(.days, in: 0...Terms.longestNoticeDays)).", valueName: "time"),
    transform: Lengths.whole(.days, in: 0...Terms.longestNoticeDays))
  var notice: Span?
  @OptionGroup var sending: SendOptions

  func command() throws -> any Command {
    try SignAgreement(
      provider: provider,
      terms: Terms(
        scope: scope.values, audiences: audience.values, from: from, until: until,
        noticeDays: notice?.whole(.days) ?? 0))
  }

  var done: String { "signed an agreement with \(provider)" }
}
