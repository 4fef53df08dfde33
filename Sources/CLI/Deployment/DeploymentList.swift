// `wharf deployment list`

import ArgumentParser
import Hosting

struct DeploymentList: ListVerb {
  typealias Things = DeploymentNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the deployments.", example: "wharf deployment list --watch")

  @Option(help: "Only of this provider.", transform: Parse.name) var provider: Name?
  @Option(help: "Only of this model.", transform: Parse.model) var model: ModelReference?
  @Option(help: "Only what has replicas on this node.", transform: Parse.name) var node: Name?
  @Option(help: "Only for this workload.") var workload: Workload?
  @Option(help: "Only in this state: complete, incomplete or deleted.") var status: String?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [
      Filter("provider", provider?.text), Filter("model", model?.description),
      Filter("node", node?.text), Filter("workload", workload), Filter("status", status),
    ]
  }
}
