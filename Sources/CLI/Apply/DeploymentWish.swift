// A deployment, as it is wanted. What is not said of one that is there stays as it is.

import Hosting
import Wire

struct DeploymentWish: Decodable {
  private static let standardReplicas = 1

  let kind: String
  let name: Name
  /// With its version: `xai/grok-3:1`.
  let model: ModelReference
  let replicas: Int?
  let workload: Workload?
  let exclusive: Bool?

  func steps(_ current: DeploymentItem?, _ served: ModelItem?) throws(Fixed) -> [WishStep] {
    guard let current else {
      return [
        WishStep(
          CreateDeployment(
            name: name, model: model, replicas: replicas ?? Self.standardReplicas,
            workload: workload, exclusive: exclusive))
      ]
    }
    let subject = "deployment \(name)"
    // It may be called by an alias of its version.
    let alias = served?.aliases.first { $0.alias == model.version?.key }
    let wanted = "\(model.key):\((alias?.version ?? model.version)?.key ?? "")"
    try Fixed.check(
      "model", of: subject, is: "\(current.model):\(current.version)".lowercased(), wanted: wanted)
    if let workload {
      try Fixed.check("workload", of: subject, is: current.workload, wanted: workload)
    }
    if let exclusive {
      try Fixed.check("exclusiveness", of: subject, is: current.exclusive, wanted: exclusive)
    }
    guard let replicas, replicas != current.wanted else { return [] }
    return [WishStep(ScaleDeployment(deployment: name, replicas: replicas))]
  }
}
