// `wharf gateway list`

import ArgumentParser

struct GatewayList: ListVerb {
  typealias Things = GatewayNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the gateways.", example: "wharf gateway list")

  @OptionGroup var listing: ListOptions
}
