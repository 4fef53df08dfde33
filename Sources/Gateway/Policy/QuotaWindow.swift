// What was taken of a limit lately, by the second, what is set aside of it for requests under way, and what
// is owed. Pure.
//
//   set aside ──the answer ends──► taken, so much as it took ──a minute──► gone
//                                  owed, what went beyond ──room──► taken
//
// 1. Something is set aside only where it fits beside all else; more than the whole limit only where there
//    is nothing else.
// 2. What is set aside or taken counts alike; what is owed lets nothing new in before it is paid.
// 3. What was taken in a second counts until that second is wholly more than a minute ago: for 60 s at
//    least and 61 s at most.
// 4. For one answer no more is owed than the whole limit pays within the longest wait; what goes beyond is let
//    off. So no engine that lies about one locks anybody out for longer. Many answers are owed in full: else who
//    lets many in at once, each of them longer than was to be expected, would get them for nothing.

import Wire

struct QuotaWindow: Sendable, Equatable {
  static let countsSeconds = Int64(Share.windowSeconds)
  /// Where only requests under way are in the way, which may take less, it is worth trying so soon.
  static let reservedRetrySeconds = 5.0
  /// Nobody is told to wait for longer: where more is in the way, also the limit may be another by then.
  static let longestWaitSeconds = 3_600.0
  /// Paid within the longest wait, with a window to spare for what was taken last.
  private static let mostWindowsOwed = Int(longestWaitSeconds) / Share.windowSeconds - 1

  /// The most that is owed of a limit.
  static func mostOwed(of limit: Int) -> Int {
    let (most, overflow) = max(0, limit).multipliedReportingOverflow(by: mostWindowsOwed)
    return overflow ? .max : most
  }

  private struct Taken: Sendable, Equatable {
    let second: Int64
    var amount: Int
  }

  private(set) var limit: Int
  private var mostOwed: Int
  private var taken: [Taken] = []
  private var used = 0
  private(set) var reserved = 0
  private(set) var debt = 0
  private var second: Int64

  /// - Parameter mostOwed: of the whole limit, where this is a part of it.
  init(limit: Int, mostOwed: Int, now: Duration) {
    self.limit = limit
    self.mostOwed = mostOwed
    second = now.components.seconds
  }

  /// Goes on to now; a changed limit takes effect at once.
  mutating func advance(limit: Int, mostOwed: Int, now: Duration) {
    self.limit = limit
    // A limit that is lowered makes no hours of what was minutes.
    if mostOwed < self.mostOwed { debt = min(debt, mostOwed) }
    self.mostOwed = mostOwed
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
    let payment = min(debt, max(0, limit - occupied))
    debt -= payment
    enter(payment)
  }

  private mutating func enter(_ amount: Int) {
    guard amount > 0 else { return }
    used = used.addingOrMost(amount)
    if taken.last?.second == second {
      taken[taken.count - 1].amount = taken[taken.count - 1].amount.addingOrMost(amount)
    } else {
      taken.append(Taken(second: second, amount: amount))
    }
  }

  // MARK: Where it stands

  /// What was taken and what is set aside.
  var occupied: Int { used.addingOrMost(reserved) }
  /// And what is owed besides.
  var wanted: Int { occupied.addingOrMost(debt) }
  var remaining: Int { max(0, limit - wanted) }

  /// What is set aside for one that may take so much.
  func share(of amount: Int) -> Int { max(1, min(amount, limit)) }

  func hasRoom(for amount: Int) -> Bool { wanted.addingOrMost(share(of: amount)) <= limit }

  // MARK: Requests

  /// Takes what is known at once; what goes beyond the limit is owed.
  mutating func take(_ amount: Int) {
    debt = debt.addingOrMost(amount)
    pay()
  }

  mutating func reserve(_ amount: Int) { reserved = reserved.addingOrMost(amount) }

  /// What was set aside is taken as far as it was used, also where the limit is less by now: it was let
  /// through by the limit of then, and whoever shares the limit was told of it. What was used beyond is owed.
  mutating func settle(_ amount: Int, reserved part: Int) {
    reserved -= min(part, reserved)
    enter(min(amount, part))
    take(min(max(0, amount - part), mostOwed))
  }

  // MARK: Waiting

  func secondsUntilRoom(for amount: Int) -> Double {
    min(Self.longestWaitSeconds, roomSeconds(for: amount))
  }

  private func roomSeconds(for amount: Int) -> Double {
    guard limit > 0 else { return Double(Self.countsSeconds) }
    let (rounds, rest) = debt.addingOrMost(share(of: amount) - 1)
      .quotientAndRemainder(dividingBy: limit)
    let room = used - limit + rest
    guard rounds > 0 || room >= 0 else { return Self.reservedRetrySeconds }
    var leaving = 0
    for item in taken {
      leaving += item.amount
      if leaving > room { return wait(until: item, rounds) }
    }
    return taken.last.map { wait(until: $0, rounds) }
      ?? max(Self.reservedRetrySeconds, Double(rounds) * Double(Self.countsSeconds))
  }

  var secondsUntilUnused: Double { min(Self.longestWaitSeconds, unusedSeconds) }

  private var unusedSeconds: Double {
    guard limit > 0 else { return Double(Self.countsSeconds) }
    let rounds = debt / limit + (debt % limit > 0 ? 1 : 0)
    if reserved > 0 { return Double(Self.countsSeconds) * (1 + Double(rounds)) }
    return taken.last.map { wait(until: $0, rounds) } ?? 0
  }

  private func wait(until item: Taken, _ rounds: Int) -> Double {
    Double(item.second + Self.countsSeconds - second) + Double(rounds) * Double(Self.countsSeconds)
  }
}
