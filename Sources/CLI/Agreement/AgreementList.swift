// `wharf agreement list`

import ArgumentParser

struct AgreementList: ListVerb {
  typealias Things = AgreementNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the agreements, ended ones too.", example: "wharf agreement list")

  @OptionGroup var reading: ReadOptions
}
