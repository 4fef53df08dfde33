// `wharf person show`

import ArgumentParser

struct PersonShow: ShowVerb {
  typealias Things = PersonNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show one person.", example: "wharf person show ada")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
