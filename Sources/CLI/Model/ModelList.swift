// `wharf model list`

import ArgumentParser

struct ModelList: ListVerb {
  typealias Things = ModelNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the models.", example: "wharf model list -o wide")

  @OptionGroup var reading: ReadOptions
}
