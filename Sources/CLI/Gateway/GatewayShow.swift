// `wharf gateway show`

import ArgumentParser

struct GatewayShow: ShowVerb {
  typealias Things = GatewayNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show one gateway.", example: "wharf gateway show edge-1")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
