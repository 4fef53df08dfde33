// Placement: which waiting replica gets which node. One replica after another gets the best node that there is
// now, and keeps it:
//
//  1. Whose turn it is. Providers take turns, one replica a turn, so that none starves another; the one whose
//     replica has waited longest begins. Within a provider the oldest deployment comes first, and in it the
//     smallest replica number (`placeable`, `run`).
//  2. Which node. Of those it fits on, one with the fewest replicas of its deployment; of those the tightest
//     (`NodeSearch`, `NodePool`). Not the one it just failed on, if there is another.
//  3. Whether it truly fits, and with which devices, `HostingState.fit` says, which decides at the head too.
//
// A replica on a lost node stays what it is unless there is a place for it.
//
// Left out, each on purpose:
//  - Nothing that runs is moved or ended to make room: it would cost somebody's requests, and a load of weights. `why`
//    says instead what would make room.
//  - Nothing is looked up ahead or taken back. Tightest first keeps large nodes free for who needs them, which is most
//    of what a search would find; what it misses waits with its reason, and is tried again at each pass.
//  - No weights and scores: why a node was chosen is one sentence, and stands in the event.
//  - No racks or zones: nodes have no such facts.

import HashTreeCollections
import Hosting

extension Pass {
  mutating func place() {
    let queues = placeable()
    var pool: NodePool?
    if !queues.isEmpty {
      var placing = Placing(state: state, now: now, pool: nodePool())
      placing.run(queues)
      for id in placing.chosen.keys.sorted() {
        let all = (placing.chosen[id] ?? []).sorted { $0.replica < $1.replica }
        let most = PlaceReplicas.placementsPerEventLimit
        for start in stride(from: 0, to: all.count, by: most) {
          let part = Array(all[start..<min(start + most, all.count)])
          decide(PlaceReplicas(deployment: id, placements: part))
        }
      }
      for problem in placing.problems { alarm(problem) }
      pool = placing.pool
    } else if !state.unsettled.isEmpty {
      pool = nodePool()
    }
    noteWaiting(pool)
  }

  /// What may be placed now, a queue a provider, in the order of their first turns.
  private mutating func placeable() -> [Placing.Queue] {
    var queues: [ID<Provider>: Placing.Queue] = [:]
    for (id, numbers) in unplacedOrLost().sorted(by: { $0.key < $1.key }) {
      guard let deployment = state.deployments[id], state.obstacle(to: deployment, now: now) == nil,
        let model = state.models[deployment.model],
        let needs = model.version(deployment.version)?.needs
      else { continue }
      var ready: [Int] = []
      var since = now
      for number in numbers.sorted() {
        guard let replica = deployment.replicas[number] else { continue }
        if let retryAt = replica.retryAt, retryAt > now {
          wake(at: retryAt)
          continue
        }
        ready.append(number)
        since = min(since, waitingSince(replica))
      }
      if ready.isEmpty { continue }
      queues[model.provider, default: Placing.Queue(provider: model.provider, since: since)]
        .add(Placing.Seeker(deployment, needs), ready, since)
    }
    return queues.values.sorted { ($0.since, $0.provider) < ($1.since, $1.provider) }
  }

  /// Numbers of replicas without an attempt, and of those whose attempt is on a lost node.
  private func unplacedOrLost() -> [ID<Deployment>: [Int]] {
    var found: [ID<Deployment>: [Int]] = [:]
    for id in state.unsettled {
      if let unplaced = state.deployments[id]?.unplaced, !unplaced.isEmpty {
        found[id] = Array(unplaced)
      }
    }
    for id in state.lostNodes {
      for attempt in state.nodes[id]?.attempts ?? [] {
        let deployment = ID<Deployment>(attempt.replica.deployment)
        let number = attempt.replica.number
        if state.deployments[deployment]?.replicas[number]?.attempt == attempt {
          found[deployment, default: []].append(number)
        }
      }
    }
    return found
  }

  private func waitingSince(_ replica: Replica) -> Timestamp {
    replica.node.flatMap { state.nodes[$0]?.lostAt } ?? replica.waitingSince
  }
}

/// The search for places, for all deployments together.
struct Placing {
  /// What one provider waits for.
  struct Queue {
    let provider: ID<Provider>
    /// Since when its longest waiting replica waits.
    var since: Timestamp
    var seekers: [Seeker] = []
    /// Which seeker, and which of its replicas.
    var turns: [(seeker: Int, replica: Int)] = []
    var nextTurn = 0

    init(provider: ID<Provider>, since: Timestamp) {
      self.provider = provider
      self.since = since
    }

    mutating func add(_ seeker: Seeker, _ replicas: [Int], _ since: Timestamp) {
      self.since = min(self.since, since)
      turns += replicas.map { (seekers.count, $0) }
      seekers.append(seeker)
    }
  }

  /// A deployment with replicas that want a node.
  struct Seeker {
    let deployment: Deployment
    let needs: Needs
    /// None before its first turn.
    var search: NodeSearch?

    init(_ deployment: Deployment, _ needs: Needs) {
      self.deployment = deployment
      self.needs = needs
    }
  }

  private let state: HostingState
  private let now: Timestamp
  private(set) var pool: NodePool
  private var tentative = Tentative()
  /// Needs that fit nowhere any more.
  private var hopeless: Set<Needs> = []
  private(set) var chosen: [ID<Deployment>: [Placement]] = [:]
  private(set) var problems: [String] = []

  init(state: HostingState, now: Timestamp, pool: NodePool) {
    self.state = state
    self.now = now
    self.pool = pool
  }

  /// One replica of each provider, and again, until each has had its turn.
  mutating func run(_ queues: [Queue]) {
    var queues = queues
    while !queues.isEmpty {
      for index in queues.indices {
        guard queues[index].nextTurn < queues[index].turns.count else { continue }
        let turn = queues[index].turns[queues[index].nextTurn]
        queues[index].nextTurn += 1
        place(turn.replica, of: &queues[index].seekers[turn.seeker])
      }
      queues.removeAll { $0.nextTurn >= $0.turns.count }
    }
  }

  private mutating func place(_ number: Int, of seeker: inout Seeker) {
    guard !hopeless.contains(seeker.needs), let replica = seeker.deployment.replicas[number]
    else { return }
    var search =
      seeker.search.take()
      ?? NodeSearch(seeker.needs, placedOn: seeker.deployment.placedOn, pool)
    defer { seeker.search = search }
    let shunned = replica.lastFailedOn.flatMap { pool.slots[$0] }
    while let slot = search.best(in: pool, shunning: shunned) {
      guard let entry = pool.entries[slot], let node = state.nodes[entry.id] else { return }
      switch state.fit(seeker.needs, on: node, beside: tentative, now: now) {
      case .success(let devices):
        let leaves = entry.devices.count - devices.count
        let placement = Placement(
          replica: number, node: node.id, devices: devices,
          reason: reason(replica, others: search.count(on: slot), leaves: leaves))
        chosen[seeker.deployment.id, default: []].append(placement)
        tentative.take(devices, seeker.needs, on: node.id)
        pool.take(seeker.needs, on: slot)
        search.took(slot, in: pool)
        return
      case .failure(let unfit):
        // A fault of ours: the pool and `fit` say different things.
        problems.append("\(node.name) seemed to fit and does not: \(unfit.shortfalls)")
        pool.drop(slot)
      }
    }
    hopeless.insert(seeker.needs)
  }

  private func reason(_ replica: Replica, others: Int, leaves: Int) -> String {
    let moved = replica.attempt == nil ? "" : "node lost; "
    let spread = others == 0 ? "none of its deployment there" : "\(others) of its deployment there"
    return "\(moved)\(spread), leaves \(leaves) devices free"
  }
}
