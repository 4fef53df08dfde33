// What is the matter besides what a replica itself does: earlier attempts that still hold devices, and
// what ails the nodes that ready ones run on.

import HashTreeCollections
import Hosting

extension Explaining {
  private static let departuresShown = 10
  private static let silencesShown = 10

  // MARK: What stops

  /// A replica that is wanted no more, of which something still stops; none, if nothing does.
  func explanation(ofRemoved id: ReplicaID, _ subject: String) -> Explanation? {
    let left = attempts { $0 == id }
    guard !left.isEmpty else { return nil }
    let hardships = left.map {
      Hardship(plight: .stopping, node: state.nodes[$0.node], replicas: [id.number])
    }
    return Explanation(
      subject: subject, verdict: "it is wanted no more: " + departures(of: left)[0].text,
      replicas: departures(of: left), ruledOut: nodes(of: hardships),
      remedies: vouches(for: left) + help(for: hardships))
  }

  /// Attempts beside those that these replicas have: of before a restart, and, where all are asked about,
  /// of replicas that are wanted no more.
  func addDepartures(of numbers: [Int], to found: inout Explanation) {
    if state.departing.isEmpty { return }
    let isWhole = numbers.count == deployment.replicas.count
    let asked = Set(numbers)
    let left = attempts {
      $0.deployment == deployment.id.position && (isWhole || asked.contains($0.number))
    }
    .filter { deployment.replicas[$0.id.replica.number]?.attempt != $0.id }
    found.replicas += departures(of: left)
    for line in vouches(for: left) where !found.remedies.contains(line) {
      found.remedies.append(line)
    }
  }

  private func attempts(where isMeant: (ReplicaID) -> Bool) -> [Attempt] {
    state.departing.filter { isMeant($0.replica) }.sorted().compactMap { state.attempts[$0] }
  }

  /// What each end waits for, those of one wait together.
  func departures(of attempts: [Attempt]) -> [ReplicaFinding] {
    var groups: [(text: String, numbers: [Int])] = []
    for attempt in attempts {
      let node = state.nodes[attempt.node]?.name.text ?? "a node"
      let waits = state.departure(of: attempt, signals.gateways)?.words ?? "is to end"
      let text = "stopping on \(node): it \(waits), and holds \(held(by: attempt))"
      if let index = groups.firstIndex(where: { $0.text == text }) {
        groups[index].numbers.append(attempt.id.replica.number)
      } else {
        groups.append((text, [attempt.id.replica.number]))
      }
    }
    var told = groups.prefix(Self.departuresShown).map { group in
      ReplicaFinding(
        names: "\(deployment.name)-\(PlanWords.ranges(Array(Set(group.numbers))))", reason: nil,
        text: group.text)
    }
    let more = groups.dropFirst(Self.departuresShown).reduce(0) { $0 + $1.numbers.count }
    if more > 0 {
      told.append(
        ReplicaFinding(names: deployment.name.text, reason: nil, text: "\(more) more are stopping"))
    }
    return told
  }

  private func held(by attempt: Attempt) -> String {
    switch attempt.devices.count {
    case 0: "what it was given"
    case 1: "device \(attempt.devices[0])"
    default: "\(attempt.devices.count) devices"
    }
  }

  func vouches(for attempts: [Attempt]) -> [String] {
    var lines: [String] = []
    for attempt in attempts {
      for line in state.vouches(for: attempt, signals.gateways) where !lines.contains(line) {
        lines.append(line)
      }
    }
    return lines
  }

  // MARK: What gateways saw

  /// Names the engines that answer some requests and are silent on others: they stay ready, and whoever asks why
  /// some answers never come learns where.
  func addSilences(of numbers: [Int], to found: inout Explanation) {
    if signals.sightings.isEmpty { return }
    let seen = numbers.compactMap { number -> (number: Int, sighting: Signals.Sighting)? in
      guard let id = deployment.replicas[number]?.attempt, state.attempts[id]?.phase == .ready,
        let sighting = signals.sightings[id], sighting.gaveUp > 0,
        !Unanswering.isSeen(in: sighting)
      else { return nil }
      return (number, sighting)
    }
    .sorted { ($0.sighting.gaveUp, $1.number) > ($1.sighting.gaveUp, $0.number) }
    guard let worst = seen.first else { return }
    if numbers.count == 1 {
      found.verdict += "; but " + Unanswering.words(worst.sighting)
    } else if found.replicas.isEmpty {
      found.verdict += "; but requests meet silence at \(seen.count) of them"
    }
    found.facts += seen.prefix(Self.silencesShown).map {
      "\(deployment.replicaName($0.number)): \(Unanswering.words($0.sighting))"
    }
    if seen.count > Self.silencesShown {
      found.facts.append("\(seen.count - Self.silencesShown) more met requests with silence")
    }
    found.remedies.append(
      "if it goes on: wharf replica restart \(deployment.replicaName(worst.number))")
  }

  // MARK: What ails nodes

  /// Names the trouble of the nodes that these replicas run on: what is ready there today may be the next
  /// to fail, and starts nowhere else while it is ready.
  func addTroubles(under numbers: [Int], to found: inout Explanation) {
    var nodes: Set<ID<Node>> = []
    for number in numbers {
      if let node = deployment.replicas[number]?.node { nodes.insert(node) }
    }
    let troubled = nodes.compactMap { state.nodes[$0] }
      .compactMap { node in ailments(of: node).map { (node, $0) } }
      .sorted { $0.0.nameKey < $1.0.nameKey }
    guard let first = troubled.first else { return }
    if found.replicas.isEmpty || numbers.count == 1 {
      let others = troubled.count - 1
      found.verdict +=
        "; but \(first.0.name), where \(numbers.count == 1 ? "it runs" : "some run"), is "
        + first.1.words
        + (others > 0
          ? ", and \(others) more \(others == 1 ? "node has" : "nodes have") trouble" : "")
    }
    var groups: [(words: String, names: [String])] = []
    for (node, ailment) in troubled {
      if let index = groups.firstIndex(where: { $0.words == ailment.words }) {
        groups[index].names.append(node.name.text)
      } else {
        groups.append((ailment.words, [node.name.text]))
      }
      for remedy in ailment.remedies where !found.remedies.contains(remedy) {
        found.remedies.append(remedy)
      }
    }
    found.ruledOut += groups.map {
      RuledOut(
        nodes: $0.names.count, text: "\($0.names.count) \($0.words): \(Places.first($0.names))")
    }
  }

  /// What is the matter with a node that is not lost; that a person cordoned it is no ailment.
  private func ailments(of node: Node) -> (words: String, remedies: [String])? {
    guard node.status == .active else { return nil }
    var words: [String] = []
    var remedies: [String] = []
    let silence = signals.silentSeconds(of: node.id)
    if silence >= signals.limits.suspectSeconds {
      words.append("silent for \(Int(silence)) s")
      remedies.append(help(forSilent: node.name.text))
    }
    if !node.missing.isEmpty {
      words.append("cordoned, since \(Node.vanished(node.missing)) in use")
      remedies.append("look at what \(node.name) lost, then: wharf node uncordon \(node.name)")
    }
    if node.alarm != nil {
      words.append("in alarm over this log")
      remedies.append("look at the alarm of \(node.name): wharf node show \(node.name)")
    }
    if !node.troubles.isEmpty {
      words.append("in trouble, since \(node.troubles.map(\.words).joined(separator: " and "))")
      remedies.append(
        "on \(node.name) \(node.troubles.map(\.remedy).joined(separator: " and "))")
    }
    if let opensAt = node.opensAt, now < opensAt {
      words.append("flapping, and closed for new replicas until \(opensAt.short)")
      remedies.append("see why \(node.name) was lost and came back \(node.losses) times")
    }
    return words.isEmpty ? nil : (words.joined(separator: ", "), remedies)
  }
}
