// Which process of a gateway may use how much of each team's limits: handed out by the leader with the
// leases, by what each uses and wants. Pure: the time comes in. Nothing of it is in the log; it is of one
// epoch, and the next leader learns it anew from the processes. The gateway's side is
// Gateway/Policy/ShareHold.swift; why no more than the limit is let through stands in Hosting/LEASES.md.
//
// Of a process: unheard (a leader before may have given it anything) → sharing → gone, once the log says so
// or its lease is over. One that says nothing of shares is apart: it holds to whole limits by itself.
//
// 1. A process may let through at most its claim on a limit: the most of what it said that it held, what it
//    was given since, and what it used in the minute before it said so.
// 2. More is given only out of what no claim is on. Less is given freely, and counts once it is confirmed.
// 3. A report counts only from a process that has heard this leader, so that it takes nothing more from one
//    before. While any is unheard, nothing more is given to anybody.

import Hosting
import Time
import Wire

struct ShareBook: Sendable {
  typealias Instant = Clocks.Instant

  /// What a process holds: a part of every limit, and other parts of some.
  private struct Holding: Sendable {
    var base = 0
    var shares: [LimitID: Share] = [:]

    func part(of limit: Int, _ id: LimitID) -> Int {
      (shares[id] ?? .base(base)).part(of: limit)
    }
  }

  private struct Member: Sendable {
    enum Standing { case unheard, sharing, apart }
    var standing: Standing
    /// What it said, and what it was given since then.
    var held = Holding()
    var given: Holding?
    var used: [LimitID: Int] = [:]
    var wanted: [LimitID: Int] = [:]
    var owed: [LimitID: Int] = [:]
    var round = 0
    var heardAt: Instant

    func claim(on id: LimitID, of limit: Int) -> Int {
      switch standing {
      case .unheard: limit
      case .apart: 0
      case .sharing:
        max(
          held.part(of: limit, id), given?.part(of: limit, id) ?? 0, used[id] ?? 0)
      }
    }
  }

  /// What a process used that is gone.
  private struct Spent: Sendable {
    let id: LimitID
    let used: Int
    let heardAt: Instant
  }

  let epoch: Position
  let ledSince: Instant
  private var members: [Position: Member] = [:]
  private var spent: [Spent] = []
  /// A process has heard a later leader, which may have given it anything: this one gives nothing more.
  private var isDeposed = false

  /// - Parameter ledSince: any moment after this leader took over.
  init(epoch: Position, ledSince: Instant) {
    self.epoch = epoch
    self.ledSince = ledSince
  }

  private static let lease = Leases.widened(.seconds(Leases.policySeconds))
  private static let inherited = Leases.widened(
    .seconds(Leases.touchSeconds + Leases.policySeconds))
  private static let window = Leases.widened(.seconds(Share.windowSeconds))

  // MARK: What is heard

  /// What a process may use from now on.
  ///
  /// - Parameters:
  ///   - process: its event in the log.
  ///   - processes: all that may serve, by the log.
  ///   - limit: how much a limit allows; none where there is no such limit.
  mutating func answer(
    _ report: ShareReport, of process: Position, among processes: some Collection<Position>,
    limit: (LimitID) -> Int?, at now: Instant
  ) -> ShareAnswer {
    follow(processes, at: now)
    let keep = ShareAnswer(round: report.round, epoch: epoch, base: nil)
    // A call that came late: the process waits for the answer to another one.
    guard hear(report, of: process, at: now), var member = members[process] else { return keep }
    guard !isDeposed, !members.values.contains(where: { $0.standing == .unheard }) else {
      return keep
    }
    let given = holding(of: process, limit)
    guard given.shares.count <= ShareReport.itemsLimit else { return keep }
    member.given = given
    members[process] = member
    return ShareAnswer(
      round: report.round, epoch: epoch, base: given.base,
      shares: given.shares.sorted { $0.key < $1.key }.map { .init(limit: $0.key, share: $0.value) })
  }

  /// It holds to whole limits by itself.
  mutating func hearNothing(of process: Position, at now: Instant) {
    members[process] = Member(standing: .apart, heardAt: now)
  }

  /// The last that a process says, when it answers nothing any more.
  mutating func hearLast(_ report: ShareReport, of process: Position, at now: Instant) {
    _ = hear(report, of: process, at: now)
  }

  private mutating func hear(
    _ report: ShareReport, of process: Position, at now: Instant
  ) -> Bool {
    let known = members[process]
    guard report.round > known?.round ?? 0 else { return false }
    if report.epoch > epoch { isDeposed = true }
    // One of this epoch never heard another leader, and after a while no other gives anything.
    let hasHeard = process >= epoch || report.epoch == epoch || !isInherited(now)
    var member = Member(standing: hasHeard ? .sharing : .unheard, heardAt: now)
    member.round = report.round
    member.held.base = report.base
    for item in report.items {
      member.held.shares[item.limit] = item.share
      member.used[item.limit] = item.used
      member.wanted[item.limit] = item.wanted
      member.owed[item.limit] = item.owed
    }
    members[process] = member
    return true
  }

  /// Whether a leader before may have given anything that is held still.
  private func isInherited(_ now: Instant) -> Bool { now < ledSince + Self.inherited }

  /// Goes by what the log and the time say of who may hold anything.
  private mutating func follow(_ processes: some Collection<Position>, at now: Instant) {
    let isInherited = isInherited(now)
    let living = Set(processes)
    for process in living where process < epoch && isInherited && members[process] == nil {
      members[process] = Member(standing: .unheard, heardAt: ledSince)
    }
    for (process, member) in members {
      if !living.contains(process) {
        // It is gone for certain; what it used lately is not.
        for (id, used) in member.used where used > 0 {
          spent.append(Spent(id: id, used: used, heardAt: member.heardAt))
        }
        members[process] = nil
      } else if member.standing == .unheard ? !isInherited : member.heardAt + Self.lease <= now {
        members[process] = nil
      }
    }
    spent.removeAll { $0.heardAt + Self.window <= now }
  }

  // MARK: What is given

  private func holding(of process: Position, _ limit: (LimitID) -> Int?) -> Holding {
    let sharing = members.filter { $0.value.standing == .sharing }
    let others = sharing.filter { $0.key != process }
    let taken = others.values.reduce(0) { $0 + max($1.held.base, $1.given?.base ?? 0) }
    var given = Holding(base: max(0, min(Share.whole / sharing.count, Share.whole - taken)))
    for id in mentioned {
      guard let limit = limit(id) else { continue }
      var free = limit
      for other in others.values { free -= min(free, other.claim(on: id, of: limit)) }
      for gone in spent where gone.id == id { free -= min(free, gone.used) }
      let byBase = given.part(of: limit, id)
      let target = Self.split(limit, among: sharing.mapValues { $0.wanted[id] ?? 0 })?[process]
      let part = min(target ?? byBase, free)
      if target != nil || part < byBase { given.shares[id] = Share(units: part, of: limit) }
    }
    return given
  }

  /// The limits of which somebody holds, uses or wants another part than the base.
  private var mentioned: Set<LimitID> {
    var ids = Set(spent.map(\.id))
    for member in members.values {
      ids.formUnion(member.used.keys)
      ids.formUnion(member.held.shares.keys)
      if let given = member.given { ids.formUnion(given.shares.keys) }
    }
    return ids
  }

  /// A gateway that wants less keeps this part of an equal share, lest its first request be turned away.
  static let floorPart = 10

  /// How a limit is to be divided; none where equal parts do for all. Everybody gets what it wants, up to
  /// where the equal part of what is left is less; what nobody wants goes to those that want some.
  static func split(_ limit: Int, among wanted: [Position: Int]) -> [Position: Int]? {
    let equal = Share.base(Share.whole / max(1, wanted.count)).part(of: limit)
    guard wanted.values.contains(where: { $0 > equal }) else { return nil }
    let floor = min(equal, max(1, equal / floorPart))
    var parts = wanted.mapValues { _ in floor }
    var left = limit - floor * wanted.count
    let asking = wanted.filter { $0.value > 0 }.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    for (index, (process, wish)) in asking.enumerated() {
      let more = min(max(0, wish - floor), left / (asking.count - index))
      parts[process, default: 0] += more
      left -= more
    }
    for (index, (process, _)) in asking.enumerated() {
      let more = left / (asking.count - index)
      parts[process, default: 0] += more
      left -= more
    }
    return parts
  }

  // MARK: What is told

  struct Use: Equatable, Sendable {
    var used: Int
    /// What is to be paid by the minutes that follow.
    var owed = 0
    /// When the longest silent of the gateways said so; none, where none did.
    var heardAt: Instant?
  }

  /// What was used of a limit in the last minute, by what gateways said.
  mutating func use(
    of id: LimitID, among processes: some Collection<Position>, at now: Instant
  ) -> Use {
    follow(processes, at: now)
    var use = Use(used: 0)
    for member in members.values where member.round > 0 {
      use.used += min(member.used[id] ?? 0, .max - use.used)
      use.owed += min(member.owed[id] ?? 0, .max - use.owed)
      use.heardAt = min(use.heardAt ?? member.heardAt, member.heardAt)
    }
    for gone in spent where gone.id == id { use.used += min(gone.used, .max - use.used) }
    return use
  }
}
