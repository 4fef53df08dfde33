// `wharf engine list`

import ArgumentParser

struct EngineList: ListVerb {
  typealias Things = EngineNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the engines.", example: "wharf engine list")

  @OptionGroup var reading: ReadOptions
}
