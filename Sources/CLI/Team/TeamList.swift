// `wharf team list`

import ArgumentParser

struct TeamList: ListVerb {
  typealias Things = TeamNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the teams.", example: "wharf team list --as-of 2025-05-01")

  @OptionGroup var reading: ReadOptions
}
