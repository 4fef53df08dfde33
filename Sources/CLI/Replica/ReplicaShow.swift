// `wharf replica show`

import ArgumentParser

struct ReplicaShow: ShowVerb {
  typealias Things = ReplicaNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show one replica.", example: "wharf replica show grok-2")

  @Argument(help: "As grok-2, or 31.2.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
