// `wharf person list`

import ArgumentParser
import Hosting

struct PersonList: ListVerb {
  typealias Things = PersonNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the people.", example: "wharf person list")

  @Option(help: "Only of this role: admin, operator, viewer or another.") var role: String?
  @Option(help: "Only in this state: invited, active or disabled.") var status: String?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("role", role), Filter("status", status)]
  }
}
