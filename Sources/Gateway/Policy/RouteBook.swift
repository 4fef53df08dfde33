// Which replica a request goes to: the one with the fewest requests in flight, ties in turn. Pure.
//
//   in ──came to nothing, N times in a row──► out, for a while ──the while is over──► on probation
//   on probation: one request at a time ──answered──► in; came to nothing ──► out, for twice as long
//
// 1. Any answer of a replica brings it back in and forgets what was before.
// 2. A replica that failed just now rests for some seconds and is passed over.
// 3. Where all candidates are out, the least bad one is asked: the gateway would rather try than refuse.

import Hosting
import Wire

/// What a try at a replica came to, where it came to no answer of a model.
enum RouteFault: Equatable, Sendable, CustomStringConvertible {
  /// No connection: nothing was begun there.
  case notReached
  /// The connection ended after the request was sent: it may have been begun.
  case brokeOff
  /// The answer did not begin in time, or stood still for too long.
  case slow
  /// The client left after it had waited for so long that it tells of the replica.
  case clientLeft
  /// It refused the key of its own attempt.
  case refusedKey
  /// It answered with what is neither a result nor an error.
  case strange(StrangeAnswer)
  /// It has no room, for so long as it says.
  case full(seconds: Int?)

  var description: String {
    switch self {
    case .notReached: "it could not be reached"
    case .brokeOff: "its connection ended before it answered"
    case .slow: "it did not answer in time"
    case .clientLeft: "the client waited in vain"
    case .refusedKey: "it refused its own key"
    case .strange(let answer): "it answered with \(answer)"
    case .full: "it has no room"
    }
  }

  /// Whether it speaks against the replica; having no room is no fault.
  var isAgainstReplica: Bool {
    switch self {
    case .notReached, .brokeOff, .slow, .clientLeft, .refusedKey, .strange: true
    case .full: false
    }
  }

  /// What it tells of whether the replica answers anything at all. Only that may have it ended: an engine that
  /// hangs up, or answers what it should not, lives, and what one client's requests bring it to is not the
  /// loss of all others.
  var sign: Sign {
    switch self {
    case .notReached, .slow: .silence
    case .clientLeft: .impatience
    case .brokeOff, .refusedKey, .strange: .none
    case .full: .life
    }
  }

  enum Sign: Sendable {
    case life
    /// It said nothing for as long as its template lets it.
    case silence
    /// It may have been silent, and it may have been at work: its client knows as little.
    case impatience
    case none
  }
}

/// What no engine is to answer with.
enum StrangeAnswer: Equatable, Sendable, CustomStringConvertible {
  case status(Int)
  case headerTooLong
  case notHTTP

  var description: String {
    switch self {
    case .status(let status): "status \(status), which is neither a result nor an error"
    case .headerTooLong: "a header that is longer than is read"
    case .notHTTP: "what is no well-formed HTTP"
    }
  }
}

struct RouteBook: Sendable {
  private struct Load {
    var inFlight = 0
    var restsUntil: Duration = .zero
    /// When it was last chosen, counted in choices.
    var turn = 0
    /// Tries in a row that came to nothing.
    var fruitless = 0
    /// How often in a row it was put out.
    var outings = 0
    var outUntil: Duration?
    var seen = Seen()
    var left: Left?
    /// Until when the control plane is told all that is seen of it.
    var toldUntil: Duration = .zero

    func isEligible(_ now: Duration) -> Bool {
      guard let outUntil else { return restsUntil <= now }
      return outUntil <= now && inFlight == 0
    }
  }

  /// What was seen of a replica since the control plane was last told.
  struct Seen: Equatable, Sendable {
    /// Counted with what it came to.
    var asked = 0
    var answered = 0
    /// Those that tell of its silence.
    var gaveUp = 0
  }

  /// Requests that clients left after a long wait. Of one team they are kept back: it may just be in a hurry.
  private struct Left {
    static let countsSeconds = GatewaySightings.longestSeconds
    let team: Stream
    let since: Duration
    var keptBack = 0
    var isOfSeveralTeams = false

    func counts(at now: Duration) -> Bool { now - since < .seconds(Self.countsSeconds) }
  }

  let limits: GatewayLimits
  private var loads: [AttemptID: Load] = [:]
  private var choices = 0
  /// In no policy any more.
  private var leaving: Set<AttemptID> = []

  init(limits: GatewayLimits) { self.limits = limits }

  /// None when all candidates were tried.
  mutating func choose(
    among candidates: [PolicyRoute], except tried: Set<AttemptID>, now: Duration
  ) -> PolicyRoute? {
    let untried = candidates.filter { !tried.contains($0.attempt) }
    let eligible = untried.filter { loads[$0.attempt]?.isEligible(now) ?? true }
    let best = (eligible.isEmpty ? untried : eligible).min { a, b in
      let (first, second) = (loads[a.attempt] ?? Load(), loads[b.attempt] ?? Load())
      return eligible.isEmpty
        ? (first.fruitless, first.inFlight, first.turn)
          < (second.fruitless, second.inFlight, second.turn)
        : (first.inFlight, first.turn) < (second.inFlight, second.turn)
    }
    guard let best else { return nil }
    choices += 1
    loads[best.attempt, default: Load()].turn = choices
    loads[best.attempt, default: Load()].inFlight += 1
    return best
  }

  mutating func leave(_ attempt: AttemptID) {
    loads[attempt]?.inFlight -= 1
  }

  // MARK: What tries came to

  mutating func answered(_ attempt: AttemptID) {
    loads[attempt]?.seen.asked += 1
    loads[attempt]?.seen.answered += 1
    loads[attempt]?.left = nil
    loads[attempt]?.fruitless = 0
    loads[attempt]?.outings = 0
    loads[attempt]?.outUntil = nil
  }

  mutating func note(
    _ attempt: AttemptID, _ fault: RouteFault, of team: Stream, now: Duration
  ) {
    guard var load = loads[attempt] else { return }
    defer { loads[attempt] = load }
    let rest =
      if case .full(let seconds?) = fault {
        min(Int64(seconds), limits.routeRestSeconds)
      } else {
        limits.routeRestSeconds
      }
    load.restsUntil = now + .seconds(rest)
    Self.count(fault.sign, of: team, in: &load, now)
    guard fault.isAgainstReplica else { return }
    load.fruitless += 1
    let wasOut = load.outUntil != nil
    guard wasOut || load.fruitless >= limits.routeFruitlessTries else { return }
    // What was asked before it was put out tells nothing new.
    if let end = load.outUntil, end > now { return }
    load.outings += 1
    let seconds = limits.routeOutSeconds << min(load.outings - 1, Self.mostDoublings)
    load.outUntil = now + .seconds(min(seconds, limits.routeOutCeilingSeconds))
  }

  private static func count(
    _ sign: RouteFault.Sign, of team: Stream, in load: inout Load, _ now: Duration
  ) {
    switch sign {
    case .life:
      load.seen.asked += 1
      load.seen.answered += 1
    case .silence:
      load.seen.asked += 1
      load.seen.gaveUp += 1
    case .none: load.seen.asked += 1
    case .impatience:
      var left = load.left.flatMap { $0.counts(at: now) ? $0 : nil } ?? Left(team: team, since: now)
      left.keptBack += 1
      if left.team != team { left.isOfSeveralTeams = true }
      if left.isOfSeveralTeams {
        load.seen.asked += left.keptBack
        load.seen.gaveUp += left.keptBack
        left.keptBack = 0
      }
      load.left = left
    }
  }

  private static let mostDoublings = 16

  func isOut(_ attempt: AttemptID) -> Bool { loads[attempt]?.outUntil != nil }

  /// What is worth telling of: replicas with tries that came to nothing, and for a while after that all
  /// that is seen of them. Each is told once.
  mutating func takeSeen(now: Duration) -> [AttemptID: Seen] {
    var told: [AttemptID: Seen] = [:]
    for (attempt, load) in loads where load.seen != Seen() {
      loads[attempt]?.seen = Seen()
      if load.seen.gaveUp > 0 {
        loads[attempt]?.toldUntil = now + .seconds(GatewaySightings.longestSeconds)
      } else if load.toldUntil < now {
        continue
      }
      told[attempt] = load.seen
    }
    return told
  }

  /// Forgets replicas that are in no policy any more and answer nothing.
  ///
  /// - Parameter dropped: those that the policy before had; none, where that is not known.
  mutating func retain(_ index: PolicyIndex, dropped: Set<AttemptID>?) {
    leaving.formUnion(dropped ?? Set(loads.keys))
    for attempt in leaving {
      if index.isRouted(attempt) {
        leaving.remove(attempt)
      } else if inFlight(attempt) == 0 {
        leaving.remove(attempt)
        loads[attempt] = nil
      }
    }
  }

  /// Those that are in no policy any more, and answer still.
  var lingering: [AttemptID] {
    leaving.filter { inFlight($0) > 0 }.sorted()
  }

  func inFlight(_ attempt: AttemptID) -> Int { loads[attempt]?.inFlight ?? 0 }
}
