// Why replicas still wait, once all has been placed that could be: noted where it changed.

import HashTreeCollections
import Hosting

extension Pass {
  /// `pool`: the open nodes with what is left on them, where they were looked at.
  mutating func noteWaiting(_ pool: NodePool?) {
    var reasons = WaitingReasons(state: state, now: now, pool: pool)
    for id in state.unsettled.sorted() {
      guard let seekers = reasons.seekers(of: id) else { continue }
      note(seekers.backingOff, of: id, .backingOff)
      if seekers.others.isEmpty { continue }
      // A replica that gets a place by ends that are under way waits for these, and for nothing that a person does.
      let soon = reasons.placedByStops(seekers)
      note(Array(seekers.others.prefix(soon)), of: id, .enginesStopping)
      if soon < seekers.others.count {
        note(Array(seekers.others.dropFirst(soon)), of: id, reasons.reason(for: seekers.needs))
      }
      for opensAt in reasons.openings { wake(at: opensAt) }
    }
  }
}

/// Why needs fit nowhere, asked once for each.
struct WaitingReasons {
  private let state: HostingState
  private let now: Timestamp
  private var known: [Needs: WaitingReason] = [:]
  private var pool: NodePool?
  /// What is left, once all has ended that is to stop, for those not counted yet.
  private var later: NodePool?
  private var hopeless: Set<Needs> = []
  /// When nodes that settle will take new replicas.
  private(set) lazy var openings = Set(
    state.nodes.byID.values.compactMap(\.opensAt).filter { $0 > now })

  init(state: HostingState, now: Timestamp, pool: NodePool?) {
    self.state = state
    self.now = now
    self.pool = pool
  }

  mutating func reason(for needs: Needs) -> WaitingReason {
    if let reason = known[needs] { return reason }
    let pool = self.pool ?? NodePool(state, now: now)
    self.pool = pool
    let reason =
      state.nodes.count == 0
      ? .noNodes : pool.isEmpty ? .noOpenNode : Self.nearest(pool, needs)
    known[needs] = reason
    return reason
  }

  /// Replicas of a deployment without an attempt, in the order of their numbers.
  struct Seekers {
    let needs: Needs
    var backingOff: [Int] = []
    var others: [Int] = []
  }

  /// None where it may not run, or all have an attempt.
  func seekers(of id: ID<Deployment>) -> Seekers? {
    guard let deployment = state.deployments[id], !deployment.unplaced.isEmpty,
      state.obstacle(to: deployment, now: now) == nil,
      let needs = state.models[deployment.model]?.version(deployment.version)?.needs
    else { return nil }
    var seekers = Seekers(needs: needs)
    for number in deployment.unplaced.sorted() {
      if deployment.replicas[number]?.retryAt.map({ $0 > now }) ?? false {
        seekers.backingOff.append(number)
      } else {
        seekers.others.append(number)
      }
    }
    return seekers
  }

  /// How many of these, the first ones, find no place now, and find one once what is to stop has ended.
  /// A replica that was counted counts as placed there, so deployments are asked in their order.
  mutating func placedByStops(_ seekers: Seekers) -> Int {
    let needs = seekers.needs
    // A log that could not hold it is told why there is no place now.
    guard !state.departing.isEmpty, state.log.formatLevel >= FormatLevel.kept,
      reason(for: needs).isWantOfRoom
    else { return 0 }
    var later = self.later ?? NodePool(state, now: now, afterStops: true)
    defer { self.later = later }
    var count = 0
    while count < seekers.others.count, !hopeless.contains(needs) {
      var found: Int?
      later.walk(for: needs, from: nil) { slot, _ in
        found = slot
        return true
      }
      guard let found else {
        hopeless.insert(needs)
        break
      }
      later.take(needs, on: found)
      count += 1
    }
    return count
  }

  /// The numbers of a deployment's replicas that find a place so, as they are noted.
  mutating func placedByStops(of id: ID<Deployment>) -> Set<Int> {
    guard !state.departing.isEmpty else { return [] }
    for other in state.unsettled.sorted() where other < id {
      if let seekers = seekers(of: other) { _ = placedByStops(seekers) }
    }
    guard let seekers = seekers(of: id) else { return [] }
    return Set(seekers.others.prefix(placedByStops(seekers)))
  }

  /// What is missing on the nodes that miss the least: there, what most of them miss.
  private static func nearest(_ pool: NodePool, _ needs: Needs) -> WaitingReason {
    var fewest = Int.max
    var votes: [WaitingReason: Int] = [:]
    for case let entry? in pool.entries {
      let shortfalls = entry.room(for: needs).shortfalls(of: needs)
      guard let first = shortfalls.first, shortfalls.count <= fewest else { continue }
      if shortfalls.count < fewest {
        fewest = shortfalls.count
        votes = [:]
      }
      votes[first.reason, default: 0] += 1
    }
    let most = votes.values.max() ?? 0
    return WaitingReason.allCases.first { votes[$0] == most } ?? .new
  }
}

extension WaitingReason {
  /// Open nodes are there, and none has enough left.
  fileprivate var isWantOfRoom: Bool {
    switch self {
    case .notEnoughDevices, .deviceMemoryTooSmall, .notEnoughCPU, .notEnoughMemory: true
    case .new, .noNodes, .noOpenNode, .backingOff, .agreementEnded, .providerSuspended, .paused,
      .nodeLost, .enginesStopping:
      false
    }
  }
}
