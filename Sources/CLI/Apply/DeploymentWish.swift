// A deployment, as it is wanted.

import Hosting
import Wire

struct DeploymentWish: JSONRecord {
  let kind: String
  let name: Name
  /// With its version: `xai/grok-3:1`.
  let model: ModelReference
  let replicas: Int
  let workload: Workload?
  let exclusive: Bool?

  func commands(_ current: DeploymentItem?) throws(Fixed) -> [any Command] {
    guard let current else {
      return [
        CreateDeployment(
          name: name, model: model, replicas: replicas, workload: workload, exclusive: exclusive)
      ]
    }
    let subject = "deployment \(name)"
    try Fixed.check(
      "model", of: subject, is: "\(current.model):\(current.version)".lowercased(),
      wanted: model.jsonText.lowercased())
    try Fixed.check(
      "workload", of: subject, is: current.workload, wanted: workload ?? .inference)
    try Fixed.check("exclusiveness", of: subject, is: current.exclusive, wanted: exclusive ?? false)
    return current.wanted == replicas ? [] : [ScaleDeployment(deployment: name, replicas: replicas)]
  }
}
