// `wharf deployment show`

import ArgumentParser

struct DeploymentShow: ShowVerb {
  typealias Things = DeploymentNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show a deployment with its replicas.", example: "wharf deployment show grok")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions
}
