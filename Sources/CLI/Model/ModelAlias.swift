// `wharf model alias`

import ArgumentParser
import Hosting
import Wire

struct ModelAlias: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "alias", "Give a version another name, or move the name to it.",
    example: "wharf model alias xai/grok-3:1 stable")

  @Argument(help: "PROVIDER/MODEL:VERSION", transform: Parse.version) var model: ModelReference
  @Argument(help: "The other name.", transform: Parse.name) var alias: Name
  @OptionGroup var sending: SendOptions

  func command() -> any Command { AliasModel(model: model, alias: alias) }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    try await say(client)
    guard !sending.output.quiet, let item = try await client.find(ModelNoun.self, model.modelText)
    else { return }
    let version = item.aliases.first { $0.alias == model.version?.key }?.version ?? model.version
    // A wharfd of before does not say what serves it.
    guard item.versions.first(where: { $0.label == version })?.deployments == [] else { return }
    Terminal.note(
      "note: no deployment serves \(model), so requests for \(model.modelText):\(alias) find nothing "
        + "ready until one does: wharf deployment create NAME --model \(model)")
  }

  var done: String { "\(model.modelText):\(alias) is now \(model)" }
}
