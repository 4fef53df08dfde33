// `wharf team show`

import ArgumentParser

struct TeamShow: ShowVerb {
  typealias Things = TeamNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show a team with its grants, ended ones too.",
    example: "wharf team show copilot --as-of before-revoke")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
