// `wharf engine show`

import ArgumentParser

struct EngineShow: ShowVerb {
  typealias Things = EngineNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show one engine.", example: "wharf engine show vllm")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
