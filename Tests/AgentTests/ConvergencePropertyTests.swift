// Convergence against a model of a node, over random histories of assignments, ends, silence and
// restarts. No device is held twice, nothing is started twice, and it comes to rest.

import Agent
import Hosting
import Testing
import Wire

/// A seed replays a failure.
private struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// What a node would be after the steps it takes.
private struct Node {
  var steering = Steering()
  var held: [AttemptID: Convergence.Held] = [:]
  var confirmed = false
  var leaseHolds = false
  var now = Timestamp(microseconds: 0)
  var everStarted: Set<AttemptID> = []
  var lastPort: Int?
  let devices = simulatedDevices(3).map(\.id)

  var outcome: Convergence.Outcome {
    Convergence.outcome(
      of: Convergence.Situation(
        assignment: steering.assignment, confirmed: confirmed, mistrusts: steering.alarm != nil,
        leaseHolds: leaseHolds, now: now, held: Array(held.values), unknown: [],
        devices: Set(devices), ports: 9000...9009, lastPort: lastPort))
  }

  mutating func take(_ step: Convergence.Step) {
    switch step {
    case .stop(let id, _):
      #expect(held[id]?.condition == .alive)
      held[id]?.condition = .stopping
    case .forget(let id):
      #expect(held[id]?.condition == .ended(acknowledged: true))
      held[id] = nil
    case .refuse(let id, _):
      held[id] = Convergence.Held(
        id: id, devices: [], port: 0, condition: .ended(acknowledged: false))
    case .start(let id, let port, let devices):
      #expect(everStarted.insert(id).inserted, "\(id) was started twice")
      #expect(leaseHolds && confirmed)
      let assigned = steering.assignment?.attempts.first { $0.id == id }
      held[id] = Convergence.Held(
        id: id, devices: devices, port: port, exclusive: assigned?.exclusive ?? false,
        notAfter: assigned?.notAfter, condition: .alive)
      lastPort = port
    case .check: Issue.record("no weights are pinned here")
    case .reap: Issue.record("nothing is unknown here")
    }
  }

  func checkDevices() {
    let holding = held.values.filter {
      switch $0.condition {
      case .alive, .stopping: true
      case .ended: false
      }
    }
    for device in devices {
      #expect(holding.filter { $0.devices.contains(device) }.count <= 1, "\(device) is held twice")
    }
    #expect(Set(holding.map(\.port)).count == holding.count, "a port is given twice")
  }

  mutating func converge() {
    for _ in 0..<10 {
      let outcome = outcome
      for step in outcome.steps {
        take(step)
        checkDevices()
      }
      if outcome.steps.isEmpty { return }
    }
    Issue.record("it does not come to rest")
  }
}

@Suite struct `Converging over random histories` {
  @Test(arguments: 0..<300)
  func `holds its rules`(seed: Int) {
    var random = Seeded(state: UInt64(seed))
    var node = Node()
    var generation: Int64 = 10
    var wanted: [AssignedAttempt] = []
    var sent: [Assignment] = []

    for _ in 0..<60 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1, 2:
        generation += Int64.random(in: 1...3, using: &random)
        wanted.removeAll { _ in Int.random(in: 0..<3, using: &random) == 0 }
        let devices = node.devices.shuffled(using: &random).prefix(
          Int.random(in: 1...2, using: &random))
        wanted.append(
          assigned(
            "31.\(Int.random(in: 1...9, using: &random)).\(generation)", on: Array(devices),
            exclusive: Bool.random(using: &random),
            notAfter: Int.random(in: 0..<4, using: &random) == 0 ? node.now.adding(seconds: 5) : nil
          ))
        let next = assignment(generation, wanted)
        sent.append(next)
        _ = node.steering.offer(next, for: next.node)
        node.confirmed = true
      case 3:
        // Late or doubled.
        if let old = sent.randomElement(using: &random) {
          let before = node.steering.assignment?.generation
          _ = node.steering.offer(old, for: old.node)
          #expect(before == nil || node.steering.assignment!.generation >= before!)
        }
      case 4: node.leaseHolds.toggle()
      case 5: node.now = node.now.adding(seconds: Int64.random(in: 1...4, using: &random))
      case 6, 7:
        if let id = node.held.keys.sorted().randomElement(using: &random),
          node.held[id]?.condition == .stopping || Bool.random(using: &random)
        {
          node.held[id]?.condition = .ended(acknowledged: false)
        }
      case 8:
        for (id, held) in node.held where held.condition == .ended(acknowledged: false) {
          node.held[id]?.condition = .ended(acknowledged: true)
        }
      default:
        // The agent restarts: what it wrote down is what it knows.
        node.confirmed = false
        node.leaseHolds = false
      }
      node.converge()
      #expect(node.outcome.steps == [], "a second look finds nothing to do")
    }

    node.confirmed = true
    node.leaseHolds = true
    for _ in 0..<100 {
      node.converge()
      for (id, held) in node.held where held.condition == .stopping {
        node.held[id]?.condition = .ended(acknowledged: true)
      }
    }
    let alive = Set(node.held.values.filter { $0.condition == .alive }.map(\.id))
    #expect(alive.isSubset(of: Set(wanted.map(\.id))), "what is not wanted is gone in the end")
  }
}
