// `wharf model alias`

import ArgumentParser
import Hosting

struct ModelAlias: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "alias", "Give a version another name, or move the name to it.",
    example: "wharf model alias xai/grok-3:1 stable")

  @Argument(help: "PROVIDER/MODEL:VERSION", transform: Parse.version) var model: ModelReference
  @Argument(help: "The other name.", transform: Parse.name) var alias: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { AliasModel(model: model, alias: alias) }
  var done: String { "\(model.modelText):\(alias) is now \(model)" }
}
