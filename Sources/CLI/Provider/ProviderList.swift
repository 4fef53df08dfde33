// `wharf provider list`

import ArgumentParser

struct ProviderList: ListVerb {
  typealias Things = ProviderNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the providers.", example: "wharf provider list --as-of 2025-05-01")

  @OptionGroup var reading: ReadOptions
}
