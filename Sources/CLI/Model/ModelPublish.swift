// `wharf model publish`

import ArgumentParser
import Hosting

struct ModelPublish: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "publish", "Open a model to an audience, or move it to another stage there.",
    example: "wharf model publish xai/grok-3 --to internal --stage preview")

  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @Option(help: "internal or external.") var to: Audience
  @Option(help: "preview or general.") var stage: Stage = .general
  @OptionGroup var sending: SendOptions

  func command() -> any Command { PublishModel(model: model, audience: to, stage: stage) }
  var done: String { "published \(model) to \(to.rawValue) teams (\(stage.rawValue))" }
}
