// `wharf key list`

import ArgumentParser
import Hosting

struct KeyList: ListVerb {
  typealias Things = KeyNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the keys of a team, or of all.", example: "wharf key list copilot")

  @Argument(help: "The team.", transform: Parse.name) var team: Name?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] { [Filter("team", team?.text)] }
}
