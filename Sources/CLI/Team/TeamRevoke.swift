// `wharf team revoke`

import ArgumentParser
import Hosting
import Wire

struct TeamRevoke: EndsServing {
  static let configuration = CommandConfiguration.verb(
    "revoke", "Take a team's access to a model away.",
    example: "wharf team revoke copilot xai/grok-3 --wait",
    more: proof)

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { RevokeAccess(team: team, model: model) }
  var done: String { "revoked \(team)'s access to \(model)" }
}
