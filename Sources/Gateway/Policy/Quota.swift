// Quotas: requests and tokens a minute, of a team over all models and of one grant, at this gateway. A
// request is taken when it is let through; its tokens are charged once they are known, or estimated.
// Pure; there is at most one window a limit.
//
// 1. Within any 60 s no more requests are let through than the limit says.
// 2. What tokens go beyond the limit is a debt: it is paid with the room of the minutes that follow, so
//    that over time no more is used than the limit allows.

import Hosting
import Wire

/// What was taken of a limit lately, by the second. What was taken in a second counts until that second
/// is wholly more than a minute ago: for 60 s at least and 61 s at most.
struct QuotaWindow: Sendable, Equatable {
  static let countsSeconds: Int64 = 61

  private struct Taken: Sendable, Equatable {
    let second: Int64
    var amount: Int
  }

  private(set) var limit: Int
  private var taken: [Taken] = []
  private var used = 0
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

/// What a reply says about the tightest limits that bore on it.
package struct QuotaReading: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    package let limit: Int
    package let remaining: Int
    package let resetSeconds: Double
  }
  package var requests: Line?
  package var tokens: Line?
}

struct QuotaBook: Sendable {
  private struct Subject: Hashable {
    let team: Stream
    /// None for the team over all models.
    let model: Stream?
  }
  private struct Windows {
    var requests: QuotaWindow?
    var tokens: QuotaWindow?
  }
  private var windows: [Subject: Windows] = [:]

  var count: Int { windows.count }

  /// Takes one request from every limit that bears on it, or none and says which was used up.
  mutating func admit(
    _ permission: Permission, now: Duration
  ) -> Result<QuotaReading, QuotaExceeded> {
    let (team, grant, model) = (permission.team, permission.grant, permission.model)
    let ofTeam = Subject(team: team.id, model: nil)
    let ofGrant = Subject(team: team.id, model: model.id)
    advance(ofTeam, requests: team.requestsPerMinute, tokens: team.tokensPerMinute, now: now)
    advance(ofGrant, requests: grant.requestsPerMinute, tokens: grant.tokensPerMinute, now: now)
    for subject in [ofGrant, ofTeam] {
      guard let denial = exhausted(subject, permission) else { continue }
      return .failure(QuotaExceeded(denial: denial, reading: reading(ofTeam, ofGrant)))
    }
    windows[ofTeam]?.requests?.take(1)
    windows[ofGrant]?.requests?.take(1)
    return .success(reading(ofTeam, ofGrant))
  }

  mutating func charge(tokens: Int, team: Stream, model: Stream) {
    windows[Subject(team: team, model: nil)]?.tokens?.take(tokens)
    windows[Subject(team: team, model: model)]?.tokens?.take(tokens)
  }

  /// Forgets the windows of what is no longer in the policy.
  mutating func retain(_ index: PolicyIndex) {
    windows = windows.filter { subject, _ in
      guard let team = index.teams[subject.team] else { return false }
      return subject.model.map { team.grants[$0] != nil } ?? true
    }
  }

  private mutating func advance(_ subject: Subject, requests: Int?, tokens: Int?, now: Duration) {
    guard requests != nil || tokens != nil else {
      windows[subject] = nil
      return
    }
    var both = windows[subject] ?? Windows()
    Self.advance(&both.requests, requests, now)
    Self.advance(&both.tokens, tokens, now)
    windows[subject] = both
  }

  private static func advance(_ window: inout QuotaWindow?, _ limit: Int?, _ now: Duration) {
    guard let limit else {
      window = nil
      return
    }
    if window == nil { window = QuotaWindow(limit: limit, now: now) }
    window?.advance(limit: limit, now: now)
  }

  private func exhausted(_ subject: Subject, _ permission: Permission) -> Denial? {
    let name =
      subject.model == nil
      ? "the team '\(permission.team.name)'"
      : "the team '\(permission.team.name)' for the model '\(permission.model.name)'"
    let both = windows[subject]
    if let window = both?.requests, !window.hasRoom {
      return .rateLimited(
        "requests", limit: window.limit, of: name, wait: Self.wait(window.secondsUntilRoom))
    }
    if let window = both?.tokens, !window.hasRoom {
      return .rateLimited(
        "tokens", limit: window.limit, of: name, wait: Self.wait(window.secondsUntilRoom))
    }
    return nil
  }

  private static func wait(_ seconds: Double) -> Int { max(1, Int(cut: seconds.rounded(.up))) }

  private func reading(_ subjects: Subject...) -> QuotaReading {
    QuotaReading(
      requests: Self.tightest(subjects.compactMap { windows[$0]?.requests }),
      tokens: Self.tightest(subjects.compactMap { windows[$0]?.tokens }))
  }

  private static func tightest(_ windows: [QuotaWindow]) -> QuotaReading.Line? {
    windows.min { $0.remaining < $1.remaining }.map {
      .init(limit: $0.limit, remaining: $0.remaining, resetSeconds: $0.secondsUntilUnused)
    }
  }
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
