// What is told of nodes, and of what their agents report.

import Hosting

enum NodeSentences {
  static let all: [Teller] = [
    Teller(JoinTokenIssued.self) { event, _ in
      "A join token for one node was issued, good until \(event.until.short)."
    },
    Teller(JoinTokenEnded.self) { event, _ in
      switch event.cause {
      case .revoked: "A join token was revoked; nobody had joined with it."
      case .expired: "A join token ran out; nobody had joined with it."
      }
    },
    Teller(NodeJoined.self) { event, telling in
      "Node \(telling.subject) joined with \(devices(event.facts))."
    },
    Teller(NodeCordoned.self) { _, telling in
      "Node \(telling.subject) was cordoned: nothing new is placed there."
    },
    Teller(NodeUncordoned.self) { _, telling in
      "Node \(telling.subject) was uncordoned: it takes replicas again."
    },
    Teller(NodeLost.self) { event, telling in
      "Node \(telling.subject) was declared lost after "
        + "\(Sentences.count(event.silentSeconds, "second")) of silence."
    },
    Teller(NodeReturned.self) { _, telling in "Node \(telling.subject) was heard of again." },
    Teller(NodeReported.self) { event, telling in report(event, telling) },
    Teller(NodeRemoved.self) { event, telling in
      "Node \(telling.subject) was removed"
        + (event.poweredOff ? ", on the word that it is powered off." : ".")
    },
    Teller(NodeAlarmed.self) { event, telling in
      event.words.map { "Node \(telling.subject) does not believe this log: \($0)." }
        ?? "Node \(telling.subject) believes this log again."
    },
    Teller(NodeTroubled.self) { event, telling in
      event.troubles.isEmpty
        ? "Nothing ails node \(telling.subject) any more."
        : "Node \(telling.subject) is in trouble: \(Sentences.list(event.troubles.map(\.words)))."
    },
    Teller(EraAccepted.self) { event, telling in
      "Node \(telling.subject) was let follow the era that began at \(event.era)."
    },
  ]

  private static func devices(_ facts: NodeFacts) -> String {
    let models = Dictionary(grouping: facts.devices, by: \.model)
      .map { "\($0.value.count) × \($0.key)" }.sorted()
    return models.isEmpty ? "no devices" : models.joined(separator: ", ")
  }

  private static func report(_ event: NodeReported, _ telling: Telling) -> String {
    var parts = event.attempts.map { change in
      let replica = telling.replicaName(change.id.replica)
      if change.phase == .ended { return "\(replica) ended (\(change.ending))" }
      return "\(replica) is \(change.phase.rawValue)"
    }
    if let facts = event.facts { parts.append("it now has \(devices(facts))") }
    if parts.isEmpty { return "The agent of node \(telling.subject) began a new session." }
    return "Node \(telling.subject) reported: \(Sentences.list(parts))."
  }
}
