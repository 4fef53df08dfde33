// Quotas: requests and tokens a minute, of a team over all models and of one grant. This gateway keeps to
// its part of each, which is the whole where there is no other. A request is taken when it is let through,
// and what tokens it may take are set aside then; they are charged once they are known, or estimated. Pure;
// there is at most one window a limit.
//
// 1. Within any 60 s no more requests are let through than the part says: all of it at once, if they come
//    at once.
// 2. A request is let through only where what tokens it may take fit beside what was used and what those
//    under way may take; one that may take more than the whole part, where there is nothing else.
// 3. What tokens go beyond what was set aside is a debt: it is paid with the room of the minutes that
//    follow, so that over time no more is used than the limit allows; for one answer no more than an hour of it.

import Hosting
import Wire

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
  /// What requests that were turned away for want of it could have used, lately.
  private var refused: QuotaWindow
  /// When the first of them was.
  private var shortSince: Duration?

  init(limit: Int, part: Int, now: Duration) {
    self.limit = limit
    window = QuotaWindow(limit: part, mostOwed: QuotaWindow.mostOwed(of: limit), now: now)
    refused = QuotaWindow(limit: .max, mostOwed: .max, now: now)
  }

  mutating func advance(limit: Int, part: Int, now: Duration) {
    self.limit = limit
    window.advance(limit: part, mostOwed: QuotaWindow.mostOwed(of: limit), now: now)
    refused.advance(limit: .max, mostOwed: .max, now: now)
    if refused.wanted == 0 { shortSince = nil }
  }

  mutating func refuse(_ amount: Int, now: Duration) {
    lack(min(amount, limit))
    if shortSince == nil { shortSince = now }
  }

  /// More could be used than there is of it.
  mutating func lack(_ amount: Int) { refused.take(amount) }

  var isIdle: Bool { window.wanted == 0 && refused.wanted == 0 }

  /// What could be used of it: where requests were turned away, as many more, and twice the part at least.
  var wanted: Int {
    guard refused.wanted > 0 else { return min(limit, window.wanted) }
    let asked = window.wanted.addingOrMost(refused.wanted)
    let twice = window.limit.addingOrMost(window.limit)
    return min(limit, max(asked, twice, 1))
  }

  /// So long after requests began to be turned away the others have given back what they do not use.
  private static let settledSeconds = 2 * Leases.renewalSeconds
  /// And so soon they may have.
  private static let soonSeconds = Leases.renewalSeconds + 2

  /// When to try again: once its own window has room, or sooner where more of the limit may come in. What did not
  /// come in for so long may take as long again: others that ended give nothing back before their time is over.
  func waitSeconds(for amount: Int, now: Duration) -> Int {
    let own = max(1, Int(cut: window.secondsUntilRoom(for: amount).rounded(.up)))
    guard window.limit < limit else { return own }
    let isSettled = shortSince.map { now - $0 >= .seconds(Self.settledSeconds) } ?? false
    if isSettled, window.limit > 0 { return own }
    let shortSeconds = shortSince.map { Int(cut: (now - $0).inSeconds) } ?? 0
    return min(own, max(Self.soonSeconds, shortSeconds))
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
  /// How much of it a request may take.
  let asked: Int
  /// Until it lets that through; none, where it does now.
  let waitSeconds: Int?
  let unusedSeconds: Double

  init(_ id: LimitID, _ meter: Meter, asked: Int, now: Duration) {
    self.id = id
    limit = meter.limit
    part = meter.window.limit
    remaining = meter.window.remaining
    self.asked = asked
    waitSeconds =
      meter.window.hasRoom(for: asked) ? nil : meter.waitSeconds(for: asked, now: now)
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
  /// Of each team at each model whose tokens are limited.
  private var lengths: [LimitID: AnswerLengths] = [:]

  var count: Int { meters.count }

  // MARK: Requests

  /// What is set aside for a request that was let through.
  struct Reservation: Sendable, Equatable {
    fileprivate let ofTeam: LimitID
    fileprivate let ofGrant: LimitID
    fileprivate let wish: TokenWish
    fileprivate var teamTokens = 0
    fileprivate var grantTokens = 0
  }

  struct Admitted: Sendable {
    let reading: QuotaReading
    let reservation: Reservation
  }

  /// Takes one request, and sets aside the tokens that it may take, from every limit that bears on it; or
  /// takes nothing, and says which of those that have no room binds longest.
  mutating func admit(
    _ permission: Permission, _ wish: TokenWish, now: Duration
  ) -> Result<Admitted, QuotaExceeded> {
    let (team, grant, model) = (permission.team, permission.grant, permission.model)
    let ofTeam = LimitID(team: team.id, model: nil, kind: .requests)
    let ofGrant = LimitID(team: team.id, model: model.id, kind: .requests)
    let tokens = wish.tokens(assumed: (lengths[ofGrant.tokens] ?? AnswerLengths()).assumed)
    let limits = [
      (ofGrant, grant.requestsPerMinute, 1), (ofGrant.tokens, grant.tokensPerMinute, tokens),
      (ofTeam, team.requestsPerMinute, 1), (ofTeam.tokens, team.tokensPerMinute, tokens),
    ]
    for (id, limit, _) in limits { advance(id, limit, now) }
    var isExceeded = false
    for (id, _, amount) in limits {
      guard let meter = meters[id], !meter.window.hasRoom(for: amount) else { continue }
      meters[id]?.refuse(amount, now: now)
      if meter.window.limit < meter.limit { shares.wantMore() }
      isExceeded = true
    }
    guard !isExceeded else {
      let standings = limits.compactMap { id, _, amount in
        meters[id].map { Standing(id, $0, asked: amount, now: now) }
      }
      guard let binding = standings.tightest else { preconditionFailure("one of them is exceeded") }
      return .failure(
        QuotaExceeded(denial: denial(binding, permission), reading: reading(standings)))
    }
    meters[ofTeam]?.window.take(1)
    meters[ofGrant]?.window.take(1)
    var reservation = Reservation(ofTeam: ofTeam.tokens, ofGrant: ofGrant.tokens, wish: wish)
    reservation.teamTokens = reserve(tokens, of: ofTeam.tokens)
    reservation.grantTokens = reserve(tokens, of: ofGrant.tokens)
    let standings = limits.compactMap { id, _, _ in
      meters[id].map { Standing(id, $0, asked: 1, now: now) }
    }
    return .success(Admitted(reading: reading(standings), reservation: reservation))
  }

  private mutating func reserve(_ tokens: Int, of id: LimitID) -> Int {
    guard var meter = meters[id] else { return 0 }
    let part = meter.window.share(of: tokens)
    meter.window.reserve(part)
    let lacking = min(tokens, meter.limit) - part
    if lacking > 0 {
      meter.lack(lacking)
      shares.wantMore()
    }
    meters[id] = meter
    return part
  }

  private func reading(_ standings: [Standing]) -> QuotaReading {
    QuotaReading(
      requests: standings.filter { $0.id.kind == .requests }.tightest?.line,
      tokens: standings.filter { $0.id.kind == .tokens }.tightest?.line)
  }

  /// The answer has ended, or was left: what it took is charged instead of what was set aside.
  ///
  /// - Parameter tokens: of prompt and answers; none where no engine had the request.
  mutating func settle(_ reservation: Reservation, tokens: Int, now: Duration) {
    let charges = [
      (reservation.ofTeam, reservation.teamTokens), (reservation.ofGrant, reservation.grantTokens),
    ]
    for (id, part) in charges {
      guard var meter = meters[id] else { continue }
      meter.advance(limit: meter.limit, part: meter.window.limit, now: now)
      meter.window.settle(tokens, reserved: part)
      meters[id] = meter
      // A team that is turned away for it wants to see why.
      if meter.window.debt > 0 { shares.wantMore() }
    }
    let wish = reservation.wish
    guard tokens > wish.promptTokens, wish.answerTokens == nil,
      charges.contains(where: { meters[$0.0] != nil })
    else { return }
    lengths[reservation.ofGrant, default: AnswerLengths()]
      .learn((tokens - wish.promptTokens) / max(1, wish.answers))
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
      guard index.team(id.team) != nil else { return false }
      return id.model.map { index.grants($0, to: id.team) } ?? true
    }
    lengths = lengths.filter { id, _ in
      id.model.map { index.grants($0, to: id.team) } ?? false
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
          limit: id, used: meter.window.occupied, wanted: meter.wanted, share: shares.shares[id],
          owed: meter.window.debt > 0 ? meter.window.debt : nil))
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
    let fits = binding.asked <= binding.remaining || binding.remaining == 0
    return .rateLimited(
      binding.id.kind.rawValue, limit: binding.limit, part: shares.isSharing ? binding.part : nil,
      of: binding.id.model == nil ? team : "\(team) for the model '\(permission.model.name)'",
      short: fits ? nil : (asked: binding.asked, left: binding.remaining),
      wait: binding.waitSeconds ?? 1)
  }
}

extension LimitID {
  fileprivate var tokens: LimitID { LimitID(team: team, model: model, kind: .tokens) }
}

struct QuotaExceeded: Error {
  let denial: Denial
  let reading: QuotaReading
}
