// `wharf agreement amend`

import ArgumentParser
import Hosting
import Program

struct AgreementAmend: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "amend", "Change terms of an agreement; what is left out stays.",
    example: "wharf agreement amend xai --audience internal,external")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @Option(help: "What its models may be run for, with commas between.")
  var scope: Listed<Workload>?
  @Option(help: "Whom they may be opened to, with commas between.")
  var audience: Listed<Audience>?
  @Option(help: "The moment it ends: \(Parse.momentHelp).", transform: Parse.date)
  var until: Timestamp?
  @Flag(help: "Take its end away: it holds until it is terminated.") var openEnded = false
  @Option(
    name: [.customLong("notice"), .customLong("notice-days")],
    help: ArgumentHelp(
      "How long before its end notice is given, as 90d; "
        + "\(Lengths.bounds(.days, in: 0...Terms.longestNoticeDays)).", valueName: "time"),
    transform: Lengths.whole(.days, in: 0...Terms.longestNoticeDays))
  var notice: Span?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    if openEnded, until != nil {
      throw ValidationError("--until names an end, and --open-ended takes it away: choose one")
    }
    if scope == nil, audience == nil, until == nil, notice == nil, !openEnded {
      throw ValidationError(
        "nothing to amend: give --scope, --audience, --until, --open-ended or --notice")
    }
  }

  func command() throws -> any Command {
    try AmendAgreement(
      provider: provider, scope: scope?.values, audiences: audience?.values, until: until,
      noticeDays: notice?.whole(.days), endless: openEnded ? true : nil)
  }

  var done: String { "amended the agreement with \(provider)" }
}
