// `wharf replica list`

import ArgumentParser
import Hosting

struct ReplicaList: ListVerb {
  typealias Things = ReplicaNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the replicas of all deployments, or of one.",
    example: "wharf replica list --deployment grok")

  @Option(help: "Only of this deployment.", transform: Parse.name) var deployment: Name?
  @Option(help: "Only of this model.", transform: Parse.model) var model: ModelReference?
  @Option(help: "Only of this provider.", transform: Parse.name) var provider: Name?
  @Option(help: "Only on this node.", transform: Parse.name) var node: Name?
  @Option(help: "Only in this phase: waiting, placed, checkingWeights, starting, ready or another.")
  var status: String?
  @OptionGroup var listing: ListOptions

  var filters: [Filter] {
    [
      Filter("deployment", deployment?.text), Filter("model", model?.description),
      Filter("provider", provider?.text), Filter("node", node?.text), Filter("status", status),
    ]
  }
}
