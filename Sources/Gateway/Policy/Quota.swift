// Quotas: requests and tokens a minute, of a team over all models and of one grant. This gateway keeps to
// its part of each, which is the whole where there is no other. A request is taken when it is let through;
// its tokens are charged once they are known, or estimated. Pure; there is at most one window a limit.
//
// 1. Within any 60 s no more requests are let through than the part says: all of it at once, if they come
//    at once.
// 2. What tokens go beyond the limit is a debt: it is paid with the room of the minutes that follow, so
//    that over time no more is used than the limit allows.

import Hosting
import Wire

/// What was taken of a limit lately, by the second. What was taken in a second counts until that second
/// is wholly more than a minute ago: for 60 s at least and 61 s at most.
struct QuotaWindow: Sendable, Equatable {
  static let countsSeconds = Int64(Share.windowSeconds)

  private struct Taken: Sendable, Equatable {
    let second: Int64
    var amount: Int
  }

  private(set) var limit: Int
  private var taken: [Taken] = []
  private(set) var used = 0
  private var debt = 0
  private var second: Int64

  init(limit: Int, now: Duration) {
    self.limit = limit
    second = now.components.seconds
  }

  /// Goes on to now; a changed limit takes effect at once.
  mutating func advance(limit: Int, now: Duration) {
    self.limit = limit
    let last = max(second, now.components.seconds)
    while let oldest = taken.first, oldest.second + Self.countsSeconds <= last {
      second = oldest.second + Self.countsSeconds
      used -= oldest.amount
      taken.removeFirst()
      pay()
    }
    second = last
    pay()
  }

  private mutating func pay() {
    let payment = min(debt, max(0, limit - used))
    debt -= payment
    enter(payment)
  }

  private mutating func enter(_ amount: Int) {
    guard amount > 0 else { return }
    used += amount
    if taken.last?.second == second {
      taken[taken.count - 1].amount += amount
    } else {
      taken.append(Taken(second: second, amount: amount))
    }
  }

  var hasRoom: Bool { used < limit && debt == 0 }
  /// What was used, and what is owed besides.
  var wanted: Int { used.addingReportingOverflow(debt).overflow ? .max : used + debt }
  var remaining: Int { debt > 0 ? 0 : max(0, limit - used) }

  mutating func take(_ amount: Int) {
    debt = debt.addingReportingOverflow(amount).overflow ? .max : debt + amount
    pay()
  }

  var secondsUntilRoom: Double {
    guard limit > 0 else { return Double(Self.countsSeconds) }
    let (rounds, rest) = debt.quotientAndRemainder(dividingBy: limit)
    let room = max(0, used - limit) + rest
    var leaving = 0
    for item in taken {
      leaving += item.amount
      if leaving > room { return wait(until: item, rounds) }
    }
    return taken.last.map { wait(until: $0, rounds) } ?? 0
  }

  var secondsUntilUnused: Double {
    guard limit > 0 else { return Double(Self.countsSeconds) }
    let rounds = debt / limit + (debt % limit > 0 ? 1 : 0)
    return taken.last.map { wait(until: $0, rounds) } ?? 0
  }

  private func wait(until item: Taken, _ rounds: Int) -> Double {
    Double(item.second + Self.countsSeconds - second) + Double(rounds) * Double(Self.countsSeconds)
  }
}

/// What a reply says about the limits that bore on it: of requests and of tokens the one that binds longest.
package struct QuotaReading: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    /// The whole limit.
    package let limit: Int
    /// At this gateway.
    package let remaining: Int
    /// Where nothing remains, until something may again, which is what `retry-after` says, too; else until
    /// all of it does.
    package let resetSeconds: Double
  }
  package var requests: Line?
  package var tokens: Line?
}

/// One limit at this gateway.
private struct Meter: Sendable {
  /// All of it; the window has this gateway's part.
  var limit: Int
  var window: QuotaWindow
  /// Requests that were turned away for want of it, lately.
  private var refused: QuotaWindow
  /// When the first of them was.
  private var shortSince: Duration?

  init(limit: Int, part: Int, now: Duration) {
    self.limit = limit
    window = QuotaWindow(limit: part, now: now)
    refused = QuotaWindow(limit: .max, now: now)
  }

  mutating func advance(limit: Int, part: Int, now: Duration) {
    self.limit = limit
    window.advance(limit: part, now: now)
    refused.advance(limit: .max, now: now)
    if refused.used == 0 { shortSince = nil }
  }

  mutating func refuse(now: Duration) {
    refused.take(1)
    if shortSince == nil { shortSince = now }
  }

  var isIdle: Bool { window.wanted == 0 && refused.used == 0 }

  /// What could be used of it: where requests were turned away, as many more, and twice the part at least.
  var wanted: Int {
    guard refused.used > 0 else { return min(limit, window.wanted) }
    let asked = min(window.wanted, limit) + min(refused.used, limit)
    return min(limit, max(asked, 2 * min(window.limit, limit), 1))
  }

  /// So long after requests began to be turned away the others have given back what they do not use.
  private static let settledSeconds = 2 * Leases.renewalSeconds
  /// And so soon they may have.
  private static let soonSeconds = Leases.renewalSeconds + 2

  /// When to try again: once its own window has room, or sooner where more of the limit may come in.
  func waitSeconds(now: Duration) -> Int {
    let own = max(1, Int(cut: window.secondsUntilRoom.rounded(.up)))
    guard window.limit < limit else { return own }
    let isSettled = shortSince.map { now - $0 >= .seconds(Self.settledSeconds) } ?? false
    return isSettled && window.limit > 0 ? own : min(own, Self.soonSeconds)
  }
}

/// Where a limit stands at this gateway. What an answer says of limits, in words and in headers, is all from
/// here.
private struct Standing {
  let id: LimitID
  /// All of it, and this gateway's part.
  let limit: Int
  let part: Int
  let remaining: Int
  /// Until it lets a request through; none, where it does now.
  let waitSeconds: Int?
  let unusedSeconds: Double

  init(_ id: LimitID, _ meter: Meter, now: Duration) {
    self.id = id
    limit = meter.limit
    part = meter.window.limit
    remaining = meter.window.remaining
    waitSeconds = meter.window.hasRoom ? nil : meter.waitSeconds(now: now)
    unusedSeconds = meter.window.secondsUntilUnused
  }

  var line: QuotaReading.Line {
    .init(
      limit: limit, remaining: remaining,
      resetSeconds: waitSeconds.map(Double.init) ?? unusedSeconds)
  }

  /// Whether it binds longer than another, or leaves less: asking again sooner would be in vain. Of equal
  /// ones the smaller binds.
  func binds(over other: Standing) -> Bool {
    (waitSeconds ?? 0, other.remaining, other.limit) > (other.waitSeconds ?? 0, remaining, limit)
  }
}

extension Sequence<Standing> {
  fileprivate var tightest: Standing? {
    reduce(nil) { tightest, next in
      tightest.map { next.binds(over: $0) ? next : $0 } ?? next
    }
  }
}

struct QuotaBook: Sendable {
  private(set) var shares = ShareHold()
  private var meters: [LimitID: Meter] = [:]

  var count: Int { meters.count }

  // MARK: Requests

  /// Takes one request from every limit that bears on it, or none and says which of those that are used up
  /// binds longest.
  mutating func admit(
    _ permission: Permission, now: Duration
  ) -> Result<QuotaReading, QuotaExceeded> {
    let (team, grant, model) = (permission.team, permission.grant, permission.model)
    let ofTeam = LimitID(team: team.id, model: nil, kind: .requests)
    let ofGrant = LimitID(team: team.id, model: model.id, kind: .requests)
    let limits = [
      (ofGrant, grant.requestsPerMinute), (ofGrant.tokens, grant.tokensPerMinute),
      (ofTeam, team.requestsPerMinute), (ofTeam.tokens, team.tokensPerMinute),
    ]
    for (id, limit) in limits { advance(id, limit, now) }
    var isExceeded = false
    for (id, _) in limits {
      guard let meter = meters[id], !meter.window.hasRoom else { continue }
      meters[id]?.refuse(now: now)
      if meter.window.limit < meter.limit { shares.wantMore() }
      isExceeded = true
    }
    if !isExceeded {
      meters[ofTeam]?.window.take(1)
      meters[ofGrant]?.window.take(1)
    }
    let standings = limits.compactMap { id, _ in meters[id].map { Standing(id, $0, now: now) } }
    let reading = QuotaReading(
      requests: standings.filter { $0.id.kind == .requests }.tightest?.line,
      tokens: standings.filter { $0.id.kind == .tokens }.tightest?.line)
    guard isExceeded, let binding = standings.tightest else { return .success(reading) }
    return .failure(QuotaExceeded(denial: denial(binding, permission), reading: reading))
  }

  mutating func charge(tokens: Int, team: Stream, model: Stream) {
    meters[LimitID(team: team, model: nil, kind: .tokens)]?.window.take(tokens)
    meters[LimitID(team: team, model: model, kind: .tokens)]?.window.take(tokens)
  }

  private mutating func advance(_ id: LimitID, _ limit: Int?, _ now: Duration) {
    guard let limit else {
      meters[id] = nil
      return
    }
    let part = shares.part(of: limit, id)
    meters[id, default: Meter(limit: limit, part: part, now: now)]
      .advance(limit: limit, part: part, now: now)
  }

  // MARK: Shares

  /// Goes by a new policy: forgets the windows of what is no longer in it.
  mutating func follow(_ index: PolicyIndex, isFirst: Bool) {
    shares.follow(index, isFirst: isFirst)
    meters = meters.filter { id, _ in
      guard let team = index.teams[id.team] else { return false }
      return id.model.map { team.grants[$0] != nil } ?? true
    }
  }

  /// What is held and used, for the leader; none where limits are not shared.
  mutating func report(now: Duration) -> ShareReport? {
    guard shares.isSharing else { return nil }
    for (id, meter) in meters { advance(id, meter.limit, now) }
    var items = shares.shares.filter { meters[$0.key] == nil }.map { id, share in
      ShareReport.Item(limit: id, used: 0, wanted: 0, share: share)
    }
    for (id, meter) in meters where !meter.isIdle || shares.shares[id] != nil {
      items.append(
        ShareReport.Item(
          limit: id, used: meter.window.used, wanted: meter.wanted, share: shares.shares[id]))
    }
    return shares.report(items)
  }

  /// - Returns: whether it counts.
  @discardableResult
  mutating func take(_ answer: ShareAnswer, era: Position) -> Bool {
    shares.take(answer, era: era)
  }

  // MARK: What is told

  private func denial(_ binding: Standing, _ permission: Permission) -> Denial {
    let team = "the team '\(permission.team.name)'"
    return .rateLimited(
      binding.id.kind.rawValue, limit: binding.limit, part: shares.isSharing ? binding.part : nil,
      of: binding.id.model == nil ? team : "\(team) for the model '\(permission.model.name)'",
      wait: binding.waitSeconds ?? 1)
  }
}

extension LimitID {
  fileprivate var tokens: LimitID { LimitID(team: team, model: model, kind: .tokens) }
}

extension Int {
  /// The whole part of a number, or the nearest that can be held: quotas and counts of tokens come
  /// from outside, and none of them may end the gateway.
  init(cut number: Double) {
    self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : .min)
  }
}

struct QuotaExceeded: Error {
  let denial: Denial
  let reading: QuotaReading
}
