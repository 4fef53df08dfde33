// `wharf model deprecate`

import ArgumentParser
import Hosting

struct ModelDeprecate: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "deprecate", "Allow no new grants and deployments of a model.",
    example: "wharf model deprecate xai/grok-2")

  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @OptionGroup var sending: SendOptions

  func command() -> any Command { DeprecateModel(model: model) }
  var done: String { "deprecated \(model)" }
}
