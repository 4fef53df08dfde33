// `wharf model unalias`

import ArgumentParser
import Hosting

struct ModelUnalias: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "unalias", "Take an alias away; versions stay.",
    example: "wharf model unalias xai/grok-3:stable")

  @Argument(help: "PROVIDER/MODEL:ALIAS", transform: Parse.version) var model: ModelReference
  @OptionGroup var sending: SendOptions

  func command() -> any Command { UnaliasModel(model: model) }
  var done: String { "\(model) stands for nothing any more" }
}
