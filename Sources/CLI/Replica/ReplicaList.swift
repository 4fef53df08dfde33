// `wharf replica list`

import ArgumentParser
import Hosting

struct ReplicaList: ListVerb {
  typealias Things = ReplicaNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List the replicas of all deployments, or of one.",
    example: "wharf replica list --deployment grok")

  @Option(help: "Only of this deployment.", transform: Parse.name) var deployment: Name?
  @OptionGroup var reading: ReadOptions

  var path: String {
    deployment.map { "deployments/\(PathName.encoded($0.text))/replicas" } ?? Things.path
  }
}
