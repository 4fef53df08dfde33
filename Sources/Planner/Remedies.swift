// What would help: for a replica without a place, the smallest change of a node; for a deployment
// that may not run, what would change that. Nothing is named that was not tried.

import HashTreeCollections
import Hosting

/// What every node says to certain needs.
struct Places {
  private static let namesShown = 3

  let state: HostingState
  let now: Timestamp
  let needs: Needs
  private let gateways: [GatewayStanding]?
  private let refused: [(node: Node, shortfalls: [Shortfall])]

  init(state: HostingState, now: Timestamp, needs: Needs, gateways: [GatewayStanding]?) {
    self.state = state
    self.gateways = gateways
    self.now = now
    self.needs = needs
    refused = state.nodes.sorted.compactMap { node in
      switch state.fit(needs, on: node, beside: Tentative(), now: now) {
      case .success: nil
      case .failure(let unfit): (node, unfit.shortfalls)
      }
    }
  }

  // MARK: Which node is ruled out by what

  var ruledOut: [RuledOut] { ruledOut(except: []) }

  func ruledOut(except told: Set<String>) -> [RuledOut] {
    var groups: [(rule: String, members: [(node: Node, shortfall: Shortfall)])] = []
    for (node, shortfalls) in refused where !told.contains(node.name.text) {
      guard let first = shortfalls.first else { continue }
      let rule = Self.rule(first)
      if let index = groups.firstIndex(where: { $0.rule == rule }) {
        groups[index].members.append((node, first))
      } else {
        groups.append((rule, [(node, first)]))
      }
    }
    return groups.sorted { ($1.members.count, $0.rule) < ($0.members.count, $1.rule) }.map {
      group in
      let names = Self.first(group.members.map(\.node.name.text))
      return RuledOut(
        nodes: group.members.count,
        text: "\(group.members.count) \(group.rule)\(nearest(group.members)): \(names)")
    }
  }

  /// `n1, n2, n3 and 4 more`
  static func first(_ names: [String]) -> String {
    let more = names.count - namesShown
    return names.prefix(namesShown).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }

  private static func rule(_ shortfall: Shortfall) -> String {
    switch shortfall {
    case .notActive(let status): status.rawValue
    case .cordoned(let missing):
      missing.isEmpty ? "cordoned" : "cordoned, since \(Node.vanished(missing)) in use"
    case .alarmed: "in alarm over this log"
    case .troubled(let troubles):
      "in trouble, since \(troubles.map(\.words).joined(separator: " and "))"
    case .settling: "flapping, and closed for a while"
    case .devices: "with too few free devices"
    case .deviceMemory: "with free devices of too little memory"
    case .cpu: "with too few free processors"
    case .memory: "with too little free memory"
    }
  }

  /// ` (2 wanted, at most 1 free)`
  private func nearest(_ members: [(node: Node, shortfall: Shortfall)]) -> String {
    var devices = 0
    var coming = 0
    var cpu = Int.min
    var memory = Bytes(count: .min)
    for member in members {
      switch member.shortfall {
      case .notActive, .cordoned, .alarmed, .troubled, .settling: return ""
      case .devices(_, let free):
        devices = max(devices, free)
        let later = state.afterStops(member.node).map { state.freeDevices(of: $0).count } ?? free
        coming = max(coming, later - free)
      case .deviceMemory(_, let largest): memory = max(memory, largest)
      case .cpu(_, let free): cpu = max(cpu, free)
      case .memory(_, let free): memory = max(memory, free)
      }
    }
    switch members[0].shortfall {
    case .notActive, .cordoned, .alarmed, .troubled, .settling: return ""
    case .devices(let wanted, _):
      let more = coming > 0 ? ", \(coming) more once what stops there has ended" : ""
      return " (\(wanted) wanted, at most \(devices) free\(more))"
    case .deviceMemory(let wanted, _): return " (\(wanted) wanted, at most \(memory) free)"
    case .cpu(let wanted, _): return " (\(wanted)m wanted, at most \(cpu)m free)"
    case .memory(let wanted, _): return " (\(wanted) wanted, at most \(memory) free)"
    }
  }

  /// Nodes that would take it as it is.
  var open: [RuledOut] {
    let refusing = Set(refused.map(\.node.id))
    let names = state.nodes.sorted.filter { !refusing.contains($0.id) }.map(\.name.text)
    return names.isEmpty
      ? []
      : [RuledOut(nodes: names.count, text: "\(names.count) would take it: \(Self.first(names))")]
  }

  // MARK: What would make a node fit

  /// The cheapest change of a node that there is, and a node that would do.
  var remedies: [String] { remedies(except: []) }

  func remedies(except told: Set<String>) -> [String] {
    let best = refused.filter { !told.contains($0.node.name.text) }
      .compactMap { remedy(on: $0.node, $0.shortfalls) }
      .min { ($0.cost, $0.node.nameKey) < ($1.cost, $1.node.nameKey) }
    return ends(except: told) + (best.map { [$0.text] } ?? []) + [newNode]
  }

  /// Of the nodes that will do once what stops there has ended, the first: what it waits for, and what
  /// a person can do about that.
  private func ends(except told: Set<String>) -> [String] {
    for node in refused.map(\.node) where !told.contains(node.name.text) {
      guard let later = state.afterStops(node),
        case .success = state.fit(needs, on: later, beside: Tentative(), now: now)
      else { continue }
      let going = state.departing(on: node)
      let told = going.prefix(Self.namesShown).map { attempt in
        let words = state.departure(of: attempt, gateways)?.words ?? "stops"
        return "\(state.replicaName(of: attempt) ?? "something") \(words)"
      }
      let more = going.count - told.count
      var lines = [
        "wait until what stops on \(node.name) has ended: \(told.joined(separator: "; "))"
          + (more > 0 ? "; and \(more) more" : "")
      ]
      for attempt in going {
        for line in state.vouches(for: attempt, gateways) where !lines.contains(line) {
          lines.append(line)
        }
      }
      return lines
    }
    return []
  }

  private func remedy(
    on node: Node, _ shortfalls: [Shortfall]
  ) -> (cost: Int, node: Node, text: String)? {
    var changed = node
    var steps: [String] = []
    var cost = 0
    for shortfall in shortfalls {
      switch shortfall {
      case .notActive:
        changed.status = .active
        steps.append("bring \(node.name) back")
        cost += 1_000
      case .cordoned(let missing):
        changed.cordoned = false
        let first = missing.isEmpty ? "" : "look at what it lost and "
        steps.append("\(first)uncordon \(node.name)")
        cost += missing.isEmpty ? 1 : 2
      case .alarmed:
        changed.alarm = nil
        steps.append("look at the alarm of \(node.name)")
        cost += 1_000
      case .troubled(let troubles):
        changed.troubles = []
        let remedies = troubles.map(\.remedy).joined(separator: " and ")
        steps.append("on \(node.name) \(remedies)")
        cost += 500
      case .settling(let until):
        changed.opensAt = nil
        steps.append("wait until \(node.name) opens at \(until.short)")
        cost += 2
      case .devices, .deviceMemory:
        let freed = free(&changed)
        steps.append("free \(freed) more \(freed == 1 ? "device" : "devices") on \(node.name)")
        cost += 10 * freed
      case .cpu(let wanted, let free):
        guard node.facts.cpuMillis >= wanted else { return nil }
        changed.facts.cpuMillis += wanted - free
        steps.append("free \(wanted - free)m CPU on \(node.name)")
        cost += 10
      case .memory(let wanted, let free):
        guard node.facts.memory >= wanted else { return nil }
        changed.facts.memory = node.facts.memory + (wanted - free)
        steps.append("free \(wanted - free) memory on \(node.name)")
        cost += 10
      }
    }
    guard case .success = state.fit(needs, on: changed, beside: Tentative(), now: now) else {
      return nil
    }
    return (cost, node, steps.joined(separator: " and "))
  }

  /// Takes the charges off as many large devices as are missing; gives how many.
  private func free(_ node: inout Node) -> Int {
    let large = node.facts.devices.filter { $0.memory >= needs.deviceMemory }
    let free = large.count { node.charges[$0.id] == nil }
    var freed = 0
    for device in large where free + freed < needs.devices && node.charges[device.id] != nil {
      node.charges[device.id] = nil
      freed += 1
    }
    return freed
  }

  private var newNode: String {
    var parts: [String] = []
    if needs.devices > 0 {
      let noun = needs.devices == 1 ? "device" : "devices"
      parts.append("\(needs.devices) \(noun) of \(needs.deviceMemory)")
    }
    if needs.cpuMillis > 0 { parts.append("\(needs.cpuMillis)m CPU") }
    if needs.memory > .zero { parts.append("\(needs.memory) memory") }
    return "add a node" + (parts.isEmpty ? "" : " with " + parts.joined(separator: ", "))
  }
}

/// What would let a deployment run that is barred.
struct Remedies {
  /// A suspension, and an agreement that ended: there is nothing more to lift.
  private static let mostSteps = 2

  let state: HostingState
  let now: Timestamp

  func lifting(_ deployment: Deployment) -> [String] {
    // Each step is tried as if somebody sent it who may.
    let admin = Principal(actor: .wharfd, role: .admin)
    var trial = Trial(after: state)
    var steps: [String] = []
    for _ in 0..<Self.mostSteps {
      guard let obstacle = trial.state.obstacle(to: deployment, now: now),
        let provider = provider(of: deployment),
        let step = step(obstacle, provider, deployment.workload, trial.state)
      else { break }
      steps.append(step.text)
      guard let command = step.command,
        (try? trial.perform(command, by: admin, now: now)) != nil
      else { break }
    }
    return steps
  }

  private func provider(of deployment: Deployment) -> Provider? {
    state.models[deployment.model].flatMap { state.providers[$0.provider] }
  }

  private func step(
    _ obstacle: WaitingReason, _ provider: Provider, _ workload: Workload, _ state: HostingState
  ) -> (text: String, command: (any Command)?)? {
    if obstacle == .providerSuspended {
      return (
        "wharf provider reinstate \(provider.name)", ReinstateProvider(provider: provider.name)
      )
    }
    let agreement = state.agreement(of: provider)
    guard let agreement, agreement.status(now: now) != "ended" else {
      let terms = Terms(
        scope: [workload], audiences: [.internal], from: now, until: nil, noticeDays: 0)
      return (
        "wharf agreement sign \(provider.name) --scope \(workload.rawValue) …",
        SignAgreement(provider: provider.name, terms: terms)
      )
    }
    if agreement.terms.from > now {
      return ("wait until the agreement is in force, from \(agreement.terms.from.short)", nil)
    }
    let scope = (agreement.terms.scope + [workload]).map(\.rawValue).sorted()
    return (
      "wharf agreement amend \(provider.name) --scope \(scope.joined(separator: ","))",
      AmendAgreement(
        provider: provider.name, scope: agreement.terms.scope + [workload], audiences: nil,
        until: nil, noticeDays: nil)
    )
  }
}
