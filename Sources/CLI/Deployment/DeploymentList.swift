// `wharf deployment list`

import ArgumentParser

struct DeploymentList: ListVerb {
  typealias Things = DeploymentNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the deployments.", example: "wharf deployment list --watch")

  @OptionGroup var reading: ReadOptions
}
