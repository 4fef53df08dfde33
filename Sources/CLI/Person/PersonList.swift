// `wharf person list`

import ArgumentParser

struct PersonList: ListVerb {
  typealias Things = PersonNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the people.", example: "wharf person list")

  @OptionGroup var reading: ReadOptions
}
