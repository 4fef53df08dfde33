// What this gateway may use of limits that hold over all gateways together: a part of every limit (the
// base), and other parts of some. Pure; the leader's side is ControlPlane/Reconciler/ShareBook.swift, and
// why both together let no more through than the limit stands in Hosting/LEASES.md.
//
//   apart ──a policy that shares limits──▶ sharing ──one that does not──▶ apart
//
// 1. Of the answers only that of the last call is taken, and none of a leader before the last one heard.
//    So what a report says is held is all that may be, until that call is answered.
// 2. A gateway that begins holds nothing before it was told; one that held to whole limits goes on so.
// 3. What is held is held on while no leader answers.

import Hosting
import Wire

struct ShareHold: Sendable {
  /// Without shares the whole of each limit is held to, by this gateway alone.
  private(set) var isSharing = false
  private var base = 0
  private(set) var shares: [LimitID: Share] = [:]
  /// Of the leader that was heard last.
  private var epoch = Position.empty
  private var era = Position.empty
  private var round = 0
  /// Since it shares.
  private var answers = 0
  /// More is wanted than is held, or the leader has something to hear.
  private(set) var wants = false

  /// One that has no part after so many answers is ready without.
  static let patienceAnswers = 12
  /// Whether it has a part of limits, as soon as there may be one.
  var isReady: Bool { !isSharing || base > 0 || answers >= Self.patienceAnswers }

  /// - Parameter isFirst: nothing was let through before.
  mutating func follow(_ index: PolicyIndex, isFirst: Bool) {
    guard index.sharesLimits != isSharing else { return }
    isSharing = index.sharesLimits
    base = isSharing && !isFirst ? Share.whole : 0
    shares = [:]
    answers = 0
    wants = isSharing
  }

  func part(of limit: Int, _ id: LimitID) -> Int {
    isSharing ? (shares[id] ?? .base(base)).part(of: limit) : limit
  }

  mutating func wantMore() { wants = isSharing }

  /// The next call, which ends the one before.
  mutating func report(_ items: [ShareReport.Item]) -> ShareReport {
    round += 1
    wants = false
    // The others are within the base for certain.
    let told =
      items.count <= ShareReport.itemsLimit
      ? items
      : Array(
        (items.filter { $0.share != nil } + items.filter { $0.share == nil })
          .prefix(ShareReport.itemsLimit))
    return ShareReport(round: round, epoch: epoch, base: base, items: told)
  }

  /// - Returns: whether it counts.
  mutating func take(_ answer: ShareAnswer, era: Position) -> Bool {
    guard isSharing, answer.round == round, (era, answer.epoch) >= (self.era, epoch) else {
      return false
    }
    // What it says to a new leader is believed only after it has heard that one.
    if (era, answer.epoch) > (self.era, epoch) { wants = true }
    (self.era, epoch) = (era, answer.epoch)
    answers = min(answers + 1, Self.patienceAnswers)
    if let base = answer.base {
      let told = Dictionary(answer.shares.map { ($0.limit, $0.share) }) { first, _ in first }
      // Others get what it gave back once it has said that it did.
      if self.base != base || shares != told { wants = true }
      (self.base, shares) = (base, told)
    }
    if base == 0 { wants = true }
    return true
  }
}
