// Why replicas still wait, once all has been placed that could be: noted where it changed.

import HashTreeCollections
import Hosting

extension Pass {
  /// `pool`: the open nodes with what is left on them, where they were looked at.
  mutating func noteWaiting(_ pool: NodePool?) {
    var reasons = WaitingReasons(state: state, now: now, pool: pool)
    for id in state.unsettled.sorted() {
      guard let deployment = state.deployments[id], !deployment.unplaced.isEmpty,
        state.bar(to: deployment, now: now) == nil,
        let needs = state.models[deployment.model]?.version(deployment.version)?.needs
      else { continue }
      let backingOff = deployment.unplaced.filter { number in
        deployment.replicas[number]?.retryAt.map { $0 > now } ?? false
      }
      note(backingOff.sorted(), of: id, .backingOff)
      let others = deployment.unplaced.subtracting(backingOff)
      if others.isEmpty { continue }
      note(others.sorted(), of: id, reasons.reason(for: needs))
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
      ? .noNodes : pool.entries.isEmpty ? .noOpenNode : Self.nearest(pool, needs)
    known[needs] = reason
    return reason
  }

  /// What is missing on the nodes that miss the least: there, what most of them miss.
  private static func nearest(_ pool: NodePool, _ needs: Needs) -> WaitingReason {
    var fewest = Int.max
    var votes: [WaitingReason: Int] = [:]
    for entry in pool.entries {
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
