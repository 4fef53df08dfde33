// `wharf agreement terminate`

import ArgumentParser
import Hosting

struct AgreementTerminate: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "terminate", "Give notice: nothing new begins, and all ends on a day.",
    example: "wharf agreement terminate xai --at 2026-01-01")

  @Argument(help: "The provider.", transform: Parse.name) var provider: Name
  @Option(help: "The day it ends; after the agreed notice when absent.", transform: Parse.date)
  var at: Timestamp?
  @OptionGroup var sending: SendOptions

  func command() -> any Command { TerminateAgreement(provider: provider, end: at) }
  var done: String { "terminated the agreement with \(provider)" }
}
