// `wharf agreement list`

import ArgumentParser
import Hosting

struct AgreementList: ListVerb {
  typealias Things = AgreementNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the agreements, ended ones too.", example: "wharf agreement list")

  @Option(help: "Only of this provider.", transform: Parse.name) var provider: Name?
  @Option(help: "Only in this state: signed, in force, terminated or ended.") var status: String?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("provider", provider?.text), Filter("status", status)]
  }
}
