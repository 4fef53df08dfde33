// `wharf model retire`

import ArgumentParser
import Hosting

struct ModelRetire: EndsServing {
  static let configuration = CommandConfiguration.verb(
    "retire", "Serve a model no more; it must not be deployed.",
    example: "wharf model retire xai/grok-2 --wait", more: proof)

  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { RetireModel(model: model) }
  var done: String { "retired \(model)" }
}
