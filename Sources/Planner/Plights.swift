// What holds up a replica that has an attempt, or waits for its next one: which nodes it hangs on, and
// what a person can do. Where a place is wanted instead, see Places.

import HashTreeCollections
import Hosting

/// Why a replica that was given a place is not ready.
enum Plight: Hashable {
  case lost
  case silent
  case lostSecret
  case notBegun
  case checkingWeights
  case starting
  case unanswered
  /// It says that it is ready, and gateways get no answers from it.
  case mute
  case stopping
  case backingOff

  /// Of a node in the table: `1 lost: node-1`.
  var ofNode: String {
    switch self {
    case .lost: "lost"
    case .silent: "silent"
    case .lostSecret: "with an engine whose key was made with a secret that is lost"
    case .notBegun: "whose agent has not begun yet"
    case .checkingWeights: "where weights are being checked"
    case .starting: "where it starts"
    case .unanswered: "where the engine does not answer"
    case .mute: "where the engine says that it is ready, and answers nobody"
    case .stopping: "where it is stopping"
    case .backingOff: "where it failed last"
    }
  }
}

/// A plight of a few replicas on one node.
struct Hardship {
  let plight: Plight
  let node: Node?
  let replicas: [Int]
}

extension Explaining {
  /// The nodes that replicas hang on, those of one plight together.
  func nodes(of hardships: [Hardship]) -> [RuledOut] {
    var groups: [(plight: Plight, names: [String])] = []
    for hardship in hardships {
      guard let name = hardship.node?.name.text else { continue }
      if let index = groups.firstIndex(where: { $0.plight == hardship.plight }) {
        if !groups[index].names.contains(name) { groups[index].names.append(name) }
      } else {
        groups.append((hardship.plight, [name]))
      }
    }
    return groups.map { group in
      RuledOut(
        nodes: group.names.count,
        text: "\(group.names.count) \(group.plight.ofNode): \(Places.first(group.names))")
    }
  }

  /// What a person can do, each thing once.
  func help(for hardships: [Hardship]) -> [String] {
    var told: [String] = []
    for hardship in hardships {
      for line in help(for: hardship) where !told.contains(line) { told.append(line) }
    }
    return told
  }

  private func help(for hardship: Hardship) -> [String] {
    let node = hardship.node?.name.text ?? "its node"
    let replica = hardship.replicas.first.map { deployment.replicaName($0) } ?? ""
    switch hardship.plight {
    case .lost:
      return [
        "bring \(node) back; what runs there is then taken up as it is",
        "or, once it is off for good: wharf node remove \(node) --powered-off",
      ]
    case .silent:
      return [help(forSilent: node)]
    case .lostSecret: return ["wait: it is being restarted with a key of the new secret"]
    case .notBegun: return ["see to the agent on \(node), if it does not begin soon"]
    case .checkingWeights: return ["wait: all of its weights are read on \(node) before it starts"]
    case .starting: return ["wait: it is given up if it is not ready\(deadline)"]
    case .unanswered:
      return [
        "wait: it is ended and placed again if it stays so",
        "or at once: wharf replica restart \(replica)",
      ]
    case .mute:
      return [
        "wait: it is restarted, one replica of \(deployment.name) at a time",
        "or at once: wharf replica restart \(replica)",
      ]
    case .stopping: return ["wait until \(node) proves its end"]
    case .backingOff:
      let log = hardship.replicas.first.flatMap { deployment.replicas[$0]?.lastLog(state) }
      return ["to try at once: wharf replica restart \(replica)"]
        + (log.map { ["what its engine said last: \($0)"] } ?? [])
    }
  }

  func help(forSilent node: String) -> String {
    "see to \(node) and its agent; it counts as lost after "
      + "\(Int(signals.limits.nodeLostSeconds)) s of silence"
  }

  private var deadline: String {
    let version = state.models[deployment.model]?.version(deployment.version)
    return version.map { " within \($0.launch.readiness.deadlineSeconds) s of its start" } ?? ""
  }
}
