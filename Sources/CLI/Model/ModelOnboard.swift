// `wharf model onboard`

import ArgumentParser
import Hosting

struct ModelOnboard: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "onboard", "Make a model known to us, and to nobody else yet.",
    example: "wharf model onboard xai/grok-3 --task chat --context 131072")

  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @Option(help: "chat, completion or embedding: gateways answer for it at the paths of that.")
  var task: ModelTask
  @Option(help: "Longest context, in tokens.") var context: Int?
  @OptionGroup var sending: SendOptions

  func command() -> any Command {
    OnboardModel(model: model, task: task, contextLength: context)
  }

  var done: String { "onboarded \(model), under embargo until it is published" }
}
