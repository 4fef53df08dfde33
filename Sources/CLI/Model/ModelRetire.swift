// `wharf model retire`

import ArgumentParser
import Hosting

struct ModelRetire: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "retire", "Serve a model no more; it must not be deployed.",
    example: "wharf model retire xai/grok-2")

  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RetireModel(model: model) }
  var done: String { "retired \(model)" }
}
