// What the leader gave to the processes of gateways, and what they say that they enforce. On its
// monotonic clock, in memory; what one before it gave is bounded by when this one took over. The
// arithmetic is that of Hosting/Leases.swift, and why it holds stands in LEASES.md beside it.
//
// Invariants:
//  1. A lease is noted when it is given, before the answer leaves: from then on it counts.
//  2. A process that was once told to serve nothing any more gets a lease only together with a policy of a state
//     that holds all that was ever said to be enforced.
//  3. All of it is of one epoch: with another the book begins anew.

import EventLog
import HashTreeCollections
import Hosting
import Synchronization
import Time
import Wire

package final class GatewayBook: Sendable {
  typealias Instant = Clocks.Instant

  struct Key: Hashable {
    let gateway: ID<Gateway>
    let incarnation: String
  }

  /// What this leader knows of a process.
  fileprivate struct Signal {
    /// The event that made it known; none on a log that cannot hold it.
    var process: Position?
    var enforced = Position.empty
    /// What it said with that to answer still without a route; none, where it said nothing of that to this leader.
    var serving: Set<AttemptID>?
    var givenAt: Instant?
    /// When this leader first knew of it.
    var since: Instant
    var name: Name
    var address: String
  }

  fileprivate struct Book {
    var epoch: Position?
    var ledSince: Instant?
    /// The furthest position that anybody was told the standing of.
    var asked = Position.empty
    /// The policy in force, and the position up to which it is the one.
    var policy: (position: Position, through: Position)?
    var signals: [Key: Signal] = [:]
    /// What each may use of limits.
    var shares: ShareBook?

    mutating func enter(_ epoch: Position, at now: Instant) -> Instant {
      if self.epoch != epoch || ledSince == nil {
        self = Book(epoch: epoch, ledSince: now)
      }
      return ledSince ?? now
    }

    mutating func enterShares(_ epoch: Position, at now: Instant) -> ShareBook {
      let ledSince = enter(epoch, at: now)
      return shares ?? ShareBook(epoch: epoch, ledSince: ledSince)
    }
  }

  private let book = Mutex(Book())

  package init() {}

  // MARK: Giving

  enum Given: Equatable {
    case given
    /// Its lease and grace are over: it must take a policy with the next one.
    case policyNeeded
    /// What it is to be told is of a state before what was said to be enforced.
    case stale
  }

  /// A request for a lease.
  struct Wish {
    let key: Key
    let name: Name
    /// The event that made the process known; none on a log that cannot hold it.
    let process: Position?
    let address: String
    /// The policy that it enforces; empty where it has none.
    let enforcing: Position
    /// Attempts that it has no route to any more, and that answer requests of before; none, where nothing is
    /// said of that, as with a long poll.
    var serving: [AttemptID]? = nil
    /// Whether the answer holds the policy in force.
    let withPolicy: Bool
  }

  /// Notes a lease as given, or says why it cannot be.
  ///
  /// - Parameter head: the state that the answer is made from.
  func give(_ wish: Wish, from head: Head, epoch: Position, at now: Instant) -> Given {
    book.withLock { book in
      let ledSince = book.enter(epoch, at: now)
      guard head.state.position >= epoch else { return .stale }
      var signal =
        book.signals[wish.key]
        ?? Signal(process: wish.process, since: now, name: wish.name, address: wish.address)
      if signal.process != wish.process {
        signal = Signal(process: wish.process, since: now, name: wish.name, address: wish.address)
      }
      let end = Self.end(signal, head.state, epoch, ledSince)
      if end.map({ $0 <= now }) ?? true {
        guard wish.withPolicy else { return .policyNeeded }
        guard head.state.position >= book.asked else { return .stale }
      }
      signal.givenAt = now
      // What was said before a later policy took routes away knows nothing of those.
      if let serving = wish.serving, wish.enforcing >= signal.enforced {
        signal.serving = Set(serving.prefix(PolicyEnforced.servingLimit))
      }
      signal.enforced = max(signal.enforced, wish.enforcing)
      signal.address = wish.address
      book.signals[wish.key] = signal
      return .given
    }
  }

  /// The policy of a head, as it is in force there.
  func note(policy: Position, through position: Position, epoch: Position, at now: Instant) {
    book.withLock { book in
      _ = book.enter(epoch, at: now)
      if position >= book.policy?.through ?? .empty { book.policy = (policy, position) }
    }
  }

  /// Whether a process was silent for so long that it serves nothing any more.
  func isSilent(
    _ process: GatewayProcess, in state: HostingState, epoch: Position, at now: Instant
  ) -> Bool {
    book.withLock { book in
      let ledSince = book.enter(epoch, at: now)
      return Self.end(book.signal(of: process, at: now), state, epoch, ledSince)
        .map { $0 <= now } ?? false
    }
  }

  // MARK: Shares of limits

  /// What a process may use of limits from now on, given with its lease; none to one that does not ask.
  func shares(
    for report: ShareReport?, of process: Position, from head: Head, epoch: Position,
    at now: Instant
  ) -> ShareAnswer? {
    book.withLock { book in
      var shares = book.enterShares(epoch, at: now)
      defer { book.shares = shares }
      guard let report else {
        shares.hearNothing(of: process, at: now)
        return nil
      }
      return shares.answer(
        report, of: process, among: head.state.gatewayProcesses.keys,
        limit: { head.state.limit($0) }, at: now)
    }
  }

  /// A process is about to be gone.
  func noteLast(
    _ report: ShareReport, of process: Position, epoch: Position, at now: Instant
  ) {
    book.withLock { book in
      var shares = book.enterShares(epoch, at: now)
      shares.hearLast(report, of: process, at: now)
      book.shares = shares
    }
  }

  /// What was used of limits in the last minute, what is owed beyond, and how long ago the oldest word of
  /// that is.
  func use(
    of limits: [LimitID], in head: Head, epoch: Position, at now: Instant
  ) -> [(used: Int, owed: Int, ageSeconds: Double?)] {
    book.withLock { book in
      var shares = book.enterShares(epoch, at: now)
      defer { book.shares = shares }
      return limits.map { limit in
        let use = shares.use(of: limit, among: head.state.gatewayProcesses.keys, at: now)
        return (use.used, use.owed, use.heardAt.map { max(0, (now - $0).seconds) })
      }
    }
  }

  // MARK: Telling

  /// How those are called that the log does not name.
  private static let nobody: Name = {
    do { return try Name("unknown") } catch { preconditionFailure("it is a name: \(error)") }
  }()

  /// How far every process has come that may serve, and those that nobody can know of.
  ///
  /// - Parameters:
  ///   - asked: what somebody wants to know to be enforced.
  ///   - now: the last moment at which this wharfd led for certain. What is over is so as of then:
  ///     afterwards another may have given leases anew.
  func standing(
    in head: Head, asked: Position, epoch: Position, asOf now: Instant, at present: Instant
  ) -> [EnforcementItem] {
    book.withLock { book in
      let ledSince = book.enter(epoch, at: present)
      book.asked = max(book.asked, min(asked, head.state.position))
      var items = book.holders(in: head.state, at: present).map { key, signal in
        let process = signal.process.flatMap { head.state.gatewayProcesses[$0] }
        let end = Self.end(signal, head.state, epoch, ledSince)
        return EnforcementItem(
          gateway: signal.name, enforced: book.through(signal.enforced),
          leaseSeconds: end.map { max(0, ($0 - now).seconds) } ?? 0, incarnation: key.incarnation,
          address: signal.address, graceSeconds: Self.graceSeconds(signal, head.state),
          heardSeconds: signal.givenAt.map { max(0, (now - $0).seconds) },
          removed: process?.removedAt != nil)
      }
      if let left = Self.unknownSeconds(head.state, ledSince, now) {
        items.append(
          EnforcementItem(
            gateway: Self.nobody, enforced: nil, leaseSeconds: left, isUnknown: true))
      }
      return items.sorted {
        ($0.gateway, $0.incarnation ?? "") < ($1.gateway, $1.incarnation ?? "")
      }
    }
  }

  /// For people who ask why: what is known of every process that may serve. Changes nothing, also where
  /// the book is of another epoch: then nothing is known.
  func standings(
    in state: HostingState, epoch: Position, at now: Instant
  ) -> [GatewayStanding]? {
    var book = self.book.withLock { $0 }
    guard book.epoch == epoch, let ledSince = book.ledSince else { return nil }
    var standings = book.holders(in: state, at: now).map { _, signal in
      let end = Self.end(signal, state, epoch, ledSince)
      return GatewayStanding(
        process: signal.process, called: "\(signal.name) (\(signal.address))",
        enforced: book.through(signal.enforced),
        heardSeconds: signal.givenAt.map { max(0, (now - $0).seconds) },
        leaseSeconds: end.map { max(0, ($0 - now).seconds) } ?? 0, serving: signal.serving ?? [])
    }
    if let left = Self.unknownSeconds(state, ledSince, now) {
      standings.append(
        GatewayStanding(
          process: nil, called: "of before, which the log does not name", enforced: nil,
          heardSeconds: nil, leaseSeconds: left))
    }
    return standings
  }

  /// For the planner: what all enforce that may serve, none if none may; which serve no more; and what still
  /// answers without a route.
  func signals(
    in state: HostingState, epoch: Position, at now: Instant
  ) -> (enforced: Position?, silent: [Position], serving: Set<AttemptID>) {
    book.withLock { book in
      let ledSince = book.enter(epoch, at: now)
      var silent: [Position] = []
      var serving: Set<AttemptID> = []
      var enforced: Position?
      for (key, signal) in book.holders(in: state, at: now) {
        let end = Self.end(signal, state, epoch, ledSince)
        // Known and not heard yet: it may come in a moment, and is no process for ever.
        let notHeard = signal.since + Leases.widened(.seconds(Leases.policySeconds))
        if (end ?? notHeard) <= now {
          if let process = signal.process {
            silent.append(process)
          } else {
            book.signals[key] = nil
          }
        } else if end != nil {
          // Nobody knows what a gateway still answers that this leader knows by its long poll alone.
          let own = signal.serving.flatMap { _ in book.through(signal.enforced) } ?? .empty
          enforced = min(enforced ?? own, own)
          serving.formUnion(signal.serving ?? [])
        }
      }
      if Self.unknownSeconds(state, ledSince, now) != nil { enforced = .empty }
      return (enforced, silent.sorted(), serving)
    }
  }

  // MARK: The arithmetic, applied

  private static func graceSeconds(_ signal: Signal, _ state: HostingState) -> Int {
    // Its first policy was of a state that held it.
    state.longestGraceSeconds(since: max(signal.enforced, signal.process ?? .empty))
  }

  private static func end(
    _ signal: Signal, _ state: HostingState, _ epoch: Position, _ ledSince: Instant
  ) -> Instant? {
    Leases.servesUntil(
      Leases.Holder(
        givenAt: signal.givenAt, isInherited: signal.process.map { $0 < epoch } ?? false,
        graceSeconds: graceSeconds(signal, state)), ledSince: ledSince)
  }

  /// For how long there may be processes that the log does not name: those that were given a lease
  /// before the log could name them, and those that only the lost end of a restored log named.
  private static func unknownSeconds(
    _ state: HostingState, _ ledSince: Instant, _ now: Instant
  ) -> Double? {
    var seconds = Leases.touchSeconds + Leases.policySeconds
    if state.log.formatLevel >= FormatLevel.kept {
      guard let until = state.log.unnamedUntil, state.recordedAt < until else { return nil }
      seconds += state.longestGraceSeconds(since: .empty)
    }
    let end = ledSince + Leases.widened(.seconds(seconds))
    return end > now ? (end - now).seconds : nil
  }
}

extension GatewayBook.Book {
  /// Up to where what is enforced is in force: the policy stays the same over events that change none of
  /// its content.
  fileprivate func through(_ enforced: Position) -> Position? {
    guard enforced > .empty else { return nil }
    guard let policy, enforced >= policy.position else { return enforced }
    return max(enforced, policy.through)
  }

  fileprivate mutating func signal(
    of process: GatewayProcess, at now: GatewayBook.Instant
  ) -> GatewayBook.Signal {
    let key = GatewayBook.Key(gateway: process.gateway, incarnation: process.incarnation)
    if let known = signals[key], known.process == process.id { return known }
    let signal = GatewayBook.Signal(
      process: process.id, since: now, name: process.name, address: process.address)
    signals[key] = signal
    return signal
  }

  /// Every process that may hold a lease: those of the log, and those that it cannot name.
  fileprivate mutating func holders(
    in state: HostingState, at now: GatewayBook.Instant
  ) -> [(GatewayBook.Key, GatewayBook.Signal)] {
    for process in state.gatewayProcesses.values { _ = signal(of: process, at: now) }
    // What the log says has stopped has.
    signals = signals.filter { _, signal in
      signal.process.map { state.gatewayProcesses[$0] != nil } ?? true
    }
    return signals.sorted {
      ($0.key.gateway, $0.key.incarnation) < ($1.key.gateway, $1.key.incarnation)
    }.map { ($0.key, $0.value) }
  }
}

extension HostingState {
  /// How much a limit allows in a minute; none where there is no such limit.
  func limit(_ id: LimitID) -> Int? {
    guard let team = teams[ID(id.team.origin)] else { return nil }
    let quota = id.model.map { team.grants[ID($0.origin)]?.quota } ?? team.quota
    switch id.kind {
    case .requests: return quota?.requestsPerMinute
    case .tokens: return quota?.tokensPerMinute
    }
  }
}
