// A deployment, as it is wanted. What is not said of one that is there stays as it is.

import Hosting
import Wire

struct DeploymentWish: Decodable {
  private static let standardReplicas = 1

  let kind: String
  let name: Name
  /// With its version: `xai/grok-3:1`.
  let model: Kept<ModelReference>
  let replicas: Kept<Int>
  let workload: Kept<Workload>
  let exclusive: Kept<Bool>

  func steps(_ current: DeploymentItem?, _ served: ModelItem?) throws(Fixed) -> [WishStep] {
    guard let current else {
      return [
        WishStep(
          CreateDeployment(
            name: name,
            model: try model.required("model", of: "deployment \(name)", such: "PROVIDER/MODEL:1"),
            replicas: replicas.value ?? Self.standardReplicas, workload: workload.value,
            exclusive: exclusive.value))
      ]
    }
    let subject = "deployment \(name)"
    if let model = model.value {
      // It may be called by an alias of its version.
      let alias = served?.aliases.first { $0.alias == model.version?.key }
      let wanted = "\(model.key):\((alias?.version ?? model.version)?.key ?? "")"
      try Fixed.check(
        "model", of: subject, is: "\(current.model):\(current.version)".lowercased(),
        wanted: wanted, at: "model")
    }
    if let workload = workload.value {
      try Fixed.check(
        "workload", of: subject, is: current.workload, wanted: workload, at: "workload")
    }
    if let exclusive = exclusive.value {
      try Fixed.check(
        "exclusiveness", of: subject, is: current.exclusive, wanted: exclusive, at: "exclusive")
    }
    guard let replicas = replicas.value, replicas != current.wanted else { return [] }
    return [WishStep(ScaleDeployment(deployment: name, replicas: replicas), at: "replicas")]
  }
}
