// Which nodes are lost, and which came back. A node is lost when it was silent for long while the
// leader could hear. When many go silent together the fault is more likely ours or the network's
// than theirs: then few are declared at a time, and above a larger share none.

import HashTreeCollections
import Hosting

package enum Liveness {
  /// Fewer silent nodes than this are never a storm.
  package static let stormFewestNodes = 3
  /// Above this share of the nodes, losses are slowed …
  package static let stormSlowShare = 0.3
  /// … and above this one, none is declared.
  package static let stormStopShare = 0.6
  package static let stormLossesPerWindow = 5
  package static let stormWindowSeconds = 60.0
  /// A node lost within this time still counts among those that went silent together.
  package static let stormMemorySeconds = 600.0
}

extension Pass {
  mutating func judgeLiveness() {
    for id in state.lostNodes.sorted() {
      if let heard = signals.heard[id], heard.silentSeconds < signals.limits.suspectSeconds {
        decide(DeclareNodeReturned(node: id))
      }
    }
    let silence = measureSilence()
    if let longest = silence.longestBelowLimit {
      wake(at: now.adding(seconds: Int64((signals.limits.nodeLostSeconds - longest).rounded(.up))))
    }
    // What an earlier leader gave to agents may hold longer than what this one gives.
    guard signals.hearingSeconds >= signals.inheritedSeconds else {
      let left = signals.inheritedSeconds - signals.hearingSeconds
      wake(at: now.adding(seconds: Int64(left.rounded(.up))))
      return
    }
    guard !silence.beyondLimit.isEmpty else { return }
    for lost in silence.beyondLimit.prefix(allowedLosses(silence)) {
      decide(DeclareNodeLost(node: lost.node, silentSeconds: Int(lost.seconds)))
    }
  }

  private struct Silence {
    /// Longest silent first.
    var beyondLimit: [(node: ID<Node>, seconds: Double)] = []
    var suspects = 0
    var longestBelowLimit: Double?
  }

  private func measureSilence() -> Silence {
    var silence = Silence()
    func below(_ seconds: Double) {
      silence.longestBelowLimit = max(silence.longestBelowLimit ?? 0, seconds)
    }
    func look(at id: ID<Node>) {
      let heard = signals.silentSeconds(of: id)
      guard heard >= signals.limits.suspectSeconds else { return below(heard) }
      guard let node = state.nodes[id], node.status == .active else { return }
      // One that joined a moment ago was not silent before that.
      let seconds = min(heard, max(0, now.seconds(since: node.joinedAt)))
      if seconds >= signals.limits.suspectSeconds { silence.suspects += 1 }
      if seconds >= signals.limits.nodeLostSeconds {
        silence.beyondLimit.append((id, seconds))
      } else {
        below(seconds)
      }
    }
    if let suspects = signals.suspects {
      if state.nodes.count > 0 { below(signals.restSeconds) }
      for id in suspects { look(at: id) }
    } else {
      for id in state.nodes.byID.keys { look(at: id) }
    }
    silence.beyondLimit.sort { ($1.seconds, $0.node) < ($0.seconds, $1.node) }
    return silence
  }

  /// The storm brake.
  private mutating func allowedLosses(_ silence: Silence) -> Int {
    let ages = state.lostNodes.compactMap { state.nodes[$0]?.lostAt }.map { now.seconds(since: $0) }
    let recent = ages.filter { $0 < Liveness.stormMemorySeconds }
    let together = silence.suspects + recent.count
    let total = state.nodes.count - (ages.count - recent.count)
    let share = Double(together) / Double(max(1, total))
    guard together >= Liveness.stormFewestNodes, share > Liveness.stormSlowShare else {
      return silence.beyondLimit.count
    }
    let what = "\(together) of \(total) nodes went silent together"
    if share > Liveness.stormStopShare {
      alarm("\(what): none is declared lost, the fault is likely not theirs")
      return 0
    }
    alarm(
      "\(what): at most \(Liveness.stormLossesPerWindow) are declared lost in "
        + "\(Int(Liveness.stormWindowSeconds)) s")
    let inWindow = recent.filter { $0 < Liveness.stormWindowSeconds }
    let allowed = max(0, Liveness.stormLossesPerWindow - inWindow.count)
    if allowed < silence.beyondLimit.count {
      let wait = Liveness.stormWindowSeconds - (inWindow.max() ?? 0)
      wake(at: now.adding(seconds: Int64(wait.rounded(.up))))
    }
    return allowed
  }
}
