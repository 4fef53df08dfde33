// `wharf agreement sign`

import ArgumentParser
import Hosting

struct AgreementSign: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "sign", "Sign an agreement with a provider.",
    example: "wharf agreement sign xai --scope inference --audience internal --from 2025-05-01")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @Option(help: "What its models may be run for, with commas between.")
  var scope: Listed<Workload>
  @Option(help: "Whom they may be opened to, with commas between.")
  var audience: Listed<Audience>
  @Option(help: "The day it begins.", transform: Parse.date) var from: Timestamp
  @Option(help: "The day it ends; none: until it is terminated.", transform: Parse.date)
  var until: Timestamp?
  @Option(help: "How long before its end notice is given, as 90d.", transform: Parse.span)
  var notice: Span?
  @Option(help: "The same in days.") var noticeDays: Int?
  @OptionGroup var sending: SendOptions

  private func days() throws -> Int {
    try Parse.whole(
      noticeDays, "--notice-days", or: notice, "--notice", unitSeconds: Span.daySeconds) ?? 0
  }

  func validate() throws { _ = try days() }

  func command() throws -> any Command {
    try SignAgreement(
      provider: provider,
      terms: Terms(
        scope: scope.values, audiences: audience.values, from: from, until: until,
        noticeDays: days()))
  }

  var done: String { "signed an agreement with \(provider)" }
}
