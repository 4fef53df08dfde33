// `wharf provider list`

import ArgumentParser
import Hosting

struct ProviderList: ListVerb {
  typealias Things = ProviderNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the providers.", example: "wharf provider list --as-of 2025-05-01")

  @Option(help: "Only in this state: active or suspended.") var status: String?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [Filter("status", status)]
  }
}
