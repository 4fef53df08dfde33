// What is told of deployments and their replicas.

import Hosting

enum DeploymentSentences {
  static let all: [Teller] = [
    Teller(DeploymentCreated.self) { event, telling in
      "Deployment \(telling.subject) was created: \(Sentences.count(event.replicas, "replica")) of "
        + "\(telling.name(event.model)):\(event.version) for \(event.workload.rawValue)."
    },
    Teller(DeploymentScaled.self) { event, telling in
      let before = telling.before.deployments[ID(telling.origin)]?.wanted ?? 0
      return "Deployment \(telling.subject) was scaled from \(before) to "
        + "\(Sentences.count(event.replicas, "replica"))."
    },
    Teller(DeploymentDeleted.self) { _, telling in
      "Deployment \(telling.subject) was deleted; its replicas are to stop."
    },
    Teller(ReplicasPlaced.self) { event, telling in
      let places = event.placements.map { placement in
        let devices =
          placement.devices.isEmpty
          ? "" : " (\(placement.devices.joined(separator: ", ")))"
        return "\(replica(placement.replica, telling)) on \(telling.name(placement.node))\(devices)"
      }
      return "Placed \(Sentences.list(places))."
    },
    Teller(ReplicasWaiting.self) { event, telling in
      "\(replicas(event.replicas, telling)) cannot be placed: \(event.reason.words)."
    },
    Teller(ReplicasRemoved.self) { event, telling in
      "Took away \(replicas(event.replicas, telling)): \(event.reason)."
    },
    Teller(AttemptsDismissed.self) { event, telling in
      let names = event.attempts.map { replica($0.replica.number, telling) }
      return event.enforced == nil
        ? "The engines of \(Sentences.list(names)) were told to stop; not every gateway had left them."
        : "Every gateway has left \(Sentences.list(names)); the engines were told to stop."
    },
    Teller(AttemptsStopped.self) { event, telling in
      "\(replicas(event.replicas, telling)) must stop and wait: \(event.reason.words)."
    },
    Teller(ReplicasRestarted.self) { event, telling in
      let counts = event.requests.map {
        " (of \(Sentences.count($0.asked, "request")) in a minute \($0.gaveUp) given up on, none "
          + "answered)"
      }
      return "\(replicas(event.replicas, telling)) must stop and be placed again: "
        + "\(event.cause.words)\(counts ?? "")."
    },
  ]

  private static func replica(_ number: Int, _ telling: Telling) -> String {
    telling.replicaName(ReplicaID(deployment: telling.origin, number: number))
  }

  private static func replicas(_ numbers: [Int], _ telling: Telling) -> String {
    Sentences.list(numbers.map { replica($0, telling) })
  }
}

extension WaitingReason {
  /// `notEnoughDevices` as `not enough devices`.
  fileprivate var words: String {
    var words = ""
    var lastWasUpper = false
    for character in rawValue {
      if character.isUppercase, !lastWasUpper { words += " " }
      lastWasUpper = character.isUppercase
      words += lastWasUpper && self != .notEnoughCPU ? character.lowercased() : String(character)
    }
    return words
  }
}
