// `wharf agreement amend`

import ArgumentParser
import Hosting

struct AgreementAmend: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "amend", "Change terms of an agreement; what is left out stays.",
    example: "wharf agreement amend xai --audience internal,external")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @Option(help: "What its models may be run for, with commas between.")
  var scope: Listed<Workload>?
  @Option(help: "Whom they may be opened to, with commas between.")
  var audience: Listed<Audience>?
  @Option(help: "The day it ends.", transform: Parse.date) var until: Timestamp?
  @Option(help: "Days of notice.") var noticeDays: Int?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    if scope == nil, audience == nil, until == nil, noticeDays == nil {
      throw ValidationError(
        "nothing to amend: give --scope, --audience, --until or --notice-days")
    }
  }

  func command() -> any Command {
    AmendAgreement(
      provider: provider, scope: scope?.values, audiences: audience?.values, until: until,
      noticeDays: noticeDays)
  }

  var done: String { "amended the agreement with \(provider)" }
}
