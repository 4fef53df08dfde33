// Why is it so? What keeps a deployment or a replica from being as wanted, told by the functions
// that decide it, asked now: never by what was noted when it last changed.

import HashTreeCollections
import Hosting

package struct Explanation: Equatable, Sendable {
  /// `deployment grok`, `replica grok-2`
  package var subject: String
  /// One sentence.
  package var verdict: String
  /// What it follows from, where that is not replicas and nodes.
  package var facts: [String] = []
  /// Replicas that are not ready, those of one reason together.
  package var replicas: [ReplicaFinding] = []
  /// How many nodes were asked for a place; none, if that is not what is missing.
  package var nodesAsked = 0
  /// Each node stands under the first rule that rules it out.
  package var ruledOut: [RuledOut] = []
  /// Changes that would place one more replica, or let it run; the smallest first. Each of a node was
  /// tried with the function that decides.
  package var remedies: [String] = []
}

package struct ReplicaFinding: Equatable, Sendable {
  /// `grok-2…4`
  package var names: String
  /// Why there is no attempt; none for one that has an attempt.
  package var reason: WaitingReason?
  package var text: String
}

package struct RuledOut: Equatable, Sendable {
  package var nodes: Int
  /// How short, and which nodes, the first few by name.
  package var text: String
}

/// Why a deployment is as it is; none, if there is none of this id.
package func explain(
  _ id: ID<Deployment>, _ state: HostingState, _ signals: Signals, now: Timestamp
) -> Explanation? {
  state.deployments[id].map { deployment in
    Explaining(state: state, signals: signals, now: now, deployment: deployment)
      .explanation(of: deployment.replicas.keys.sorted(), "deployment \(deployment.name)")
  }
}

/// Why a replica is as it is; none, if there is none of this id.
package func explain(
  _ id: ReplicaID, _ state: HostingState, _ signals: Signals, now: Timestamp
) -> Explanation? {
  guard let deployment = state.deployments[ID(id.deployment)] else { return nil }
  let explaining = Explaining(state: state, signals: signals, now: now, deployment: deployment)
  let subject = "replica \(deployment.replicaName(id.number))"
  guard deployment.replicas[id.number] != nil else {
    return explaining.explanation(ofRemoved: id, subject)
  }
  return explaining.explanation(of: [id.number], subject)
}

struct Explaining {
  let state: HostingState
  let signals: Signals
  let now: Timestamp
  let deployment: Deployment

  private enum Standing: Hashable {
    case ready
    /// It has an attempt, on this node.
    case running(Plight, ID<Node>, String)
    /// It failed, on this node.
    case backingOff(ID<Node>?, String)
    case waiting(WaitingReason)
  }

  func explanation(of numbers: [Int], _ subject: String) -> Explanation {
    let now = max(now, state.recordedAt)
    var found = Explanation(subject: subject, verdict: "")
    if deployment.deletedAt != nil {
      found.verdict =
        "it is deleted, and \(count(deployment.charged, "attempt")) still to prove the end"
      let left = state.departing.lazy.filter { $0.replica.deployment == deployment.id.position }
        .sorted().compactMap { state.attempts[$0] }
      found.replicas = departures(of: left)
      let hardships = left.map {
        Hardship(plight: .stopping, node: state.nodes[$0.node], replicas: [$0.id.replica.number])
      }
      found.ruledOut = nodes(of: hardships)
      found.remedies = help(for: hardships) + vouches(for: left)
      return found
    }
    let obstacle = state.obstacle(to: deployment, now: now)
    let needs = state.models[deployment.model]?.version(deployment.version)?.needs
    var reasons = WaitingReasons(state: state, now: now, pool: nil)
    let soon = reasons.placedByStops(of: deployment.id)
    var groups: [Standing: [Int]] = [:]
    for number in numbers {
      guard let replica = deployment.replicas[number] else { continue }
      let standing = standing(of: replica, obstacle: obstacle, now: now) {
        needs.map { soon.contains(number) ? .enginesStopping : reasons.reason(for: $0) } ?? .new
      }
      groups[standing, default: []].append(number)
    }
    let ready = groups.removeValue(forKey: .ready)?.count ?? 0
    let others = groups.sorted { $0.value[0] < $1.value[0] }
    found.replicas = others.map { finding($0.key, $0.value) }
    found.verdict = verdict(
      ready: ready, of: numbers.count, others.map { ($0.key, $0.value.count) })
    if obstacle != nil {
      let nodes = state.nodes.count
      found.ruledOut = [
        RuledOut(nodes: nodes, text: "\(nodes) not asked, since it may run on none")
      ]
      found.remedies = Remedies(state: state, now: now).lifting(deployment)
    } else if let needs, others.contains(where: { isWithoutPlace($0.key) }) {
      let places = Places(state: state, now: now, needs: needs, gateways: signals.gateways)
      found.nodesAsked = state.nodes.count
      found.ruledOut = places.ruledOut
      found.remedies = places.remedies
    } else if !others.isEmpty {
      let hardships = others.compactMap { hardship($0.key, $0.value) }
      found.ruledOut = nodes(of: hardships)
      found.remedies = help(for: hardships)
      addPlaces(for: hardships, needs, to: &found)
      if hardships.isEmpty { found.remedies = ["wait for the next plan"] }
    } else if numbers.isEmpty {
      found.remedies = ["want some: wharf deployment scale \(deployment.name) --replicas 1"]
    }
    addSilences(of: numbers, to: &found)
    if found.nodesAsked == 0 { addTroubles(under: numbers, to: &found) }
    addDepartures(of: numbers, to: &found)
    return found
  }

  /// What is on a lost node may be placed elsewhere, and what waits for the next plan will be.
  private func addPlaces(
    for hardships: [Hardship], _ needs: Needs?, to found: inout Explanation
  ) {
    // All nodes are looked at only where one of them might take what is told of.
    guard let needs, hardships.isEmpty || hardships.contains(where: { $0.plight == .lost }) else {
      return
    }
    let places = Places(state: state, now: now, needs: needs, gateways: signals.gateways)
    if hardships.isEmpty { found.ruledOut += places.open }
    guard hardships.contains(where: { $0.plight == .lost }) else { return }
    let lost = Set(hardships.filter { $0.plight == .lost }.compactMap { $0.node?.name.text })
    found.ruledOut += places.open
    found.ruledOut += places.ruledOut(except: lost)
    if places.open.isEmpty { found.remedies += places.remedies(except: lost) }
  }

  private func hardship(_ standing: Standing, _ numbers: [Int]) -> Hardship? {
    switch standing {
    case .running(let plight, let node, _):
      Hardship(plight: plight, node: state.nodes[node], replicas: numbers)
    case .backingOff(let node, _):
      Hardship(plight: .backingOff, node: node.flatMap { state.nodes[$0] }, replicas: numbers)
    case .ready, .waiting: nil
    }
  }

  private func isWithoutPlace(_ standing: Standing) -> Bool {
    switch standing {
    case .waiting(let reason): reason != .new
    case .ready, .running, .backingOff: false
    }
  }

  private func count(_ number: Int, _ what: String) -> String {
    number == 1 ? "1 \(what) has" : "\(number) \(what)s have"
  }

  private func standing(
    of replica: Replica, obstacle: WaitingReason?, now: Timestamp, _ place: () -> WaitingReason
  ) -> Standing {
    if let attempt = replica.attempt.flatMap({ state.attempts[$0] }),
      let node = state.nodes[attempt.node]
    {
      return standing(of: attempt, on: node, now: now)
    }
    if let obstacle { return .waiting(obstacle) }
    if let retryAt = replica.retryAt, retryAt > now {
      let tries = replica.failures == 1 ? "failed" : "failed \(replica.failures) times in a row"
      let place = replica.lastFailedOn.flatMap { state.nodes[$0] }.map { " on \($0.name)" } ?? ""
      let wait = Int(retryAt.seconds(since: now).rounded(.up))
      return .backingOff(
        replica.lastFailedOn,
        "\(tries), last\(place): \(replica.lastFailure ?? "unknown"); tried again in \(wait) s")
    }
    return .waiting(place())
  }

  private func standing(of attempt: Attempt, on node: Node, now: Timestamp) -> Standing {
    func running(_ plight: Plight, _ text: String) -> Standing { .running(plight, node.id, text) }
    if node.status == .lost, let lostAt = node.lostAt {
      return running(
        .lost, "was \(attempt.phase.rawValue) on \(node.name), lost since \(lostAt.short)")
    }
    let silence = signals.silentSeconds(of: node.id)
    let departure = state.departure(of: attempt, signals.gateways)
    // What is ready serves on while its node is silent, until that counts as lost: see what ails nodes.
    if silence >= signals.limits.suspectSeconds, attempt.phase != .ready || departure != nil {
      return running(
        .silent,
        "was \(attempt.phase.rawValue) on \(node.name), which is silent for \(Int(silence)) s")
    }
    let age = Int(now.seconds(since: attempt.placedAt))
    let why = attempt.told.map { ": \($0)" } ?? ""
    if let departure {
      let order = (attempt.stopReason ?? attempt.leaving?.reason).map { ": \($0)" } ?? ""
      return running(.stopping, "stopping on \(node.name)\(order); it \(departure.words)")
    }
    switch attempt.phase {
    case .ready where state.isOfLostSecret(attempt.id):
      return running(
        .lostSecret,
        "on \(node.name) no gateway can ask it: its key was made with a secret that is lost")
    case .ready:
      guard let sighting = signals.sightings[attempt.id], Unanswering.isSeen(in: sighting) else {
        return .ready
      }
      return running(
        .mute,
        "on \(node.name) its engine says that it is ready, and answers nobody: "
          + Unanswering.words(sighting))
    case .placed:
      return running(
        .notBegun, "placed on \(node.name) \(age) s ago, its agent has not begun yet\(why)")
    case .checkingWeights:
      return running(
        .checkingWeights, "its weights are being checked on \(node.name), placed \(age) s ago")
    case .starting, .loading:
      return running(
        .starting, "\(attempt.phase.rawValue) on \(node.name), placed \(age) s ago\(why)")
    case .unhealthy:
      return running(.unanswered, "on \(node.name) it no longer answers its probe")
    case .stopping, .ended:
      return running(.stopping, "\(attempt.phase.rawValue) on \(node.name)\(why)")
    }
  }

  private func finding(_ standing: Standing, _ numbers: [Int]) -> ReplicaFinding {
    let names = "\(deployment.name)-\(PlanWords.ranges(numbers))"
    return switch standing {
    case .ready: ReplicaFinding(names: names, reason: nil, text: "ready")
    case .running(_, _, let text): ReplicaFinding(names: names, reason: nil, text: text)
    case .backingOff(_, let text): ReplicaFinding(names: names, reason: .backingOff, text: text)
    case .waiting(let reason): ReplicaFinding(names: names, reason: reason, text: words(reason))
    }
  }

  private func verdict(ready: Int, of total: Int, _ others: [(Standing, Int)]) -> String {
    if total == 0 { return "no replica is wanted" }
    if others.isEmpty { return total == 1 ? "it is ready" : "all \(total) replicas are ready" }
    if total == 1, let only = others.first { return finding(only.0, [1]).text }
    // A replica that has no place needs help before one that is on the way.
    let most = others.max { (weight($0.0), $0.1) < (weight($1.0), $1.1) }
    let why = most.map { finding($0.0, [1]).text } ?? ""
    let rest = others.count > 1 ? ", among other reasons" : ""
    let (are, areNot) = (ready == 1 ? "is" : "are", total - ready == 1 ? "is" : "are")
    return
      "\(ready) of \(total) replicas \(are) ready; \(total - ready) \(areNot) not: \(why)\(rest)"
  }

  private func weight(_ standing: Standing) -> Int {
    switch standing {
    case .ready, .running: 0
    case .backingOff, .waiting(.enginesStopping): 1
    case .waiting: 2
    }
  }

  private func words(_ reason: WaitingReason) -> String {
    let model = state.models[deployment.model]
    let provider = model.flatMap { state.providers[$0.provider]?.name.text } ?? "its provider"
    switch reason {
    case .new: return "a place is free, and is taken with the next plan"
    case .noNodes: return "there is no node"
    case .noOpenNode: return "no node takes new replicas"
    case .notEnoughDevices: return "no node has enough free devices"
    case .deviceMemoryTooSmall: return "no node has enough free devices of that memory"
    case .notEnoughCPU: return "no node has enough free processors"
    case .notEnoughMemory: return "no node has enough free memory"
    case .backingOff: return "it failed, and waits before the next try"
    case .agreementEnded:
      return "no agreement in force allows \(deployment.workload.rawValue) of \(provider)"
    case .providerSuspended: return "provider \(provider) is suspended"
    case .paused: return "it is paused"
    case .nodeLost: return "its node is lost"
    case .enginesStopping: return "engines that stop hold what it needs"
    }
  }
}

extension Explanation: CustomStringConvertible {
  package var description: String {
    var lines = ["\(subject): \(verdict)"]
    for replica in replicas {
      lines.append(
        "  \(replica.names): \(replica.text)" + (replica.reason.map { " [\($0.rawValue)]" } ?? ""))
    }
    if nodesAsked > 0 {
      lines.append("  of \(nodesAsked) nodes none fits:")
    } else if !ruledOut.isEmpty {
      lines.append("  nodes:")
    }
    lines += ruledOut.map { "    \($0.text)" }
    if !remedies.isEmpty { lines.append("  would help:") }
    lines += remedies.map { "    \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
