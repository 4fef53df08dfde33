// What the leader hears and does not log: when each node was last heard, what gateways enforce and
// what they saw. Kept on its monotonic clock, in memory; a new leader starts with an empty book, so
// silence is only ever counted while someone could hear.

import EventLog
import HashTreeCollections
import Hosting
import Planner
import Synchronization
import Time
import Wire

package final class SignalBook: Sendable {
  /// A stall of the leader for longer than this restarts the count of every silence.
  static let stallSeconds = 1.0

  struct NodeSignal {
    var heardAt: Clocks.Instant
    var bootID: String
    var incarnation: String
    /// Of the last observation that was taken in.
    var digest: Digest?
    /// Agents of this boot that it took over from. One that speaks again is not restarted: two live.
    var superseded: Set<String> = []
  }

  /// More restarts of an agent than anybody makes within a lease.
  private static let supersededLimit = 64

  fileprivate struct Book {
    /// Since when this leader can hear without a break; none while it does not lead.
    var hearingSince: Clocks.Instant?
    var epoch: Position?
    /// A moment after this leader took over; none while it does not lead.
    var ledSince: Clocks.Instant?
    var lastTick: Clocks.Instant?
    var nodes: [ID<Node>: NodeSignal] = [:]
    /// Of the span in which this leader can hear.
    var silence = SilenceBook()
    /// What the last pass found to be silent for long.
    var silent: Set<ID<Node>> = []

    func silentSeconds(of node: ID<Node>, at now: Clocks.Instant) -> Double? {
      guard let since = hearingSince else { return nil }
      let heard = nodes[node].map(\.heardAt) ?? since
      return (now - max(heard, since)).seconds
    }
  }

  private let book = Mutex(Book())
  let sightings = SightingBook()
  let gateways = GatewayBook()
  let limits: SilenceLimits

  package init(limits: SilenceLimits = .usual) { self.limits = limits }

  /// Called often while leading. A gap between two calls is a stall: what was silent meanwhile may
  /// have spoken and not been heard.
  func tick(epoch: Position, at now: Clocks.Instant, couldAppend: Bool) {
    book.withLock { book in
      let stalled =
        book.lastTick.map { now - $0 > .seconds(Self.stallSeconds) } ?? true
      if book.epoch != epoch {
        book.nodes = [:]
        book.ledSince = now
      }
      if book.epoch != epoch || stalled || !couldAppend {
        book.hearingSince = now
        book.silence = SilenceBook()
        book.silent = []
      }
      book.epoch = epoch
      book.lastTick = now
    }
  }

  /// Forgets everything: this wharfd leads no more.
  func clear() {
    book.withLock { $0 = Book() }
    sightings.clear()
  }

  /// What a plan for a state goes by. Of nodes it holds those that may be lost, or back.
  func signals(of state: HostingState, at now: Clocks.Instant) -> Signals {
    var (signals, led) = book.withLock { book in
      (book.signals(of: state, limits, at: now), book.epoch)
    }
    guard let epoch = led else { return signals }
    signals.sightings = sightings.sightings(at: now)
    let (enforced, silent, serving) = gateways.signals(in: state, epoch: epoch, at: now)
    signals.enforced = enforced
    signals.serving = serving
    signals.silentGateways = silent
    signals.inheritedSeconds = Double(state.log.leader?.inheritedSeconds ?? 0)
    return signals
  }

  /// What is known of every node.
  func signals(at now: Clocks.Instant) -> Signals {
    book.withLock { book in
      guard let since = book.hearingSince else { return Signals(hearingSeconds: 0, limits: limits) }
      let heard = book.nodes.filter { $0.value.heardAt >= since }.mapValues { signal in
        Signals.Hearing(
          silentSeconds: (now - signal.heardAt).seconds, incarnation: signal.incarnation)
      }
      return Signals(
        hearingSeconds: (now - since).seconds, heard: heard,
        sightings: sightings.sightings(at: now),
        limits: limits)
    }
  }

  /// What is told with a read of now.
  ///
  /// - Parameters:
  ///   - moment: the log's time.
  ///   - now: the same moment, as silences are counted.
  func heard(
    in head: Head, at moment: Timestamp, _ now: Clocks.Instant
  ) -> Viewpoint.Heard {
    var standings: [GatewayStanding]?
    if case .leading(let epoch) = head.standing {
      standings = gateways.standings(in: head.state, epoch: epoch, at: now)
    }
    let silent = book.withLock { $0.silent }
    return Viewpoint.Heard(gateways: standings, silent: silent) { [self] node in
      guard node.status == .active else { return nil }
      let silent = book.withLock { $0.silentSeconds(of: node.id, at: now) } ?? 0
      let seconds = min(silent, moment.seconds(since: node.joinedAt))
      return seconds >= limits.suspectSeconds ? Int(seconds) : nil
    }
  }

  enum Session: Equatable {
    case accepted
    /// Another agent with this identity was heard a moment ago.
    case taken
  }

  /// An agent that speaks for a node, and what speaks for it being the only one.
  struct Speaker {
    let bootID: String
    let incarnation: String
    /// It lists whatever is known to have begun on its node.
    let holdsAll: Bool
  }

  /// Takes note that a node spoke. Within the lease of the agent heard last, only one that can have been
  /// started in its place is heard: on the same boot, and in possession of all that it ran.
  ///
  /// - Parameter recorded: the agent that the log knows; a new leader has heard none yet.
  func heard(
    _ node: ID<Node>, _ speaker: Speaker, recorded: (bootID: String, incarnation: String),
    at now: Clocks.Instant
  ) -> Session {
    book.withLock { book in
      let lease = Duration.seconds(limits.agentLeaseSeconds)
      var signal = NodeSignal(
        heardAt: now, bootID: speaker.bootID, incarnation: speaker.incarnation)
      if let known = book.nodes[node] {
        if known.incarnation == speaker.incarnation {
          signal.digest = known.digest
          signal.superseded = known.superseded
        } else if now - known.heardAt < lease {
          guard known.bootID == speaker.bootID, speaker.holdsAll,
            !known.superseded.contains(speaker.incarnation),
            known.superseded.count < Self.supersededLimit
          else { return .taken }
          signal.superseded = known.superseded.union([known.incarnation])
        }
      } else if recorded.bootID == speaker.bootID, recorded.incarnation != speaker.incarnation,
        !speaker.holdsAll, book.hearingSince.map({ now - $0 < lease }) ?? true
      {
        return .taken
      }
      book.nodes[node] = signal
      book.silence.hear(node, at: now)
      return .accepted
    }
  }

  func observed(_ node: ID<Node>, digest: Digest) {
    book.withLock { $0.nodes[node]?.digest = digest }
  }

  /// Whether the leader has taken in an observation of this digest.
  func knows(_ digest: Digest, of node: ID<Node>) -> Bool {
    book.withLock { $0.nodes[node]?.digest == digest }
  }

  /// Since when silence means something.
  var hearingSince: Clocks.Instant? { book.withLock { $0.hearingSince } }
  /// When the last pass was.
  var tickedAt: Clocks.Instant? { book.withLock { $0.lastTick } }
}

extension SignalBook.Book {
  fileprivate mutating func signals(
    of state: HostingState, _ limits: SilenceLimits, at now: Clocks.Instant
  ) -> Signals {
    guard let since = hearingSince else { return Signals(hearingSeconds: 0, limits: limits) }
    silence.follow(state)
    let found = silence.silence(ofAtLeast: .seconds(limits.suspectSeconds), at: now)
    let hearingSeconds = (now - since).seconds
    var signals = Signals(hearingSeconds: hearingSeconds, limits: limits)
    func note(_ node: ID<Node>) {
      guard let signal = nodes[node], signal.heardAt >= since else { return }
      signals.heard[node] = Signals.Hearing(
        silentSeconds: (now - signal.heardAt).seconds, incarnation: signal.incarnation)
    }
    for node in found.long.keys { note(node) }
    for node in state.lostNodes { note(node) }
    signals.suspects = found.unheard.union(found.long.keys)
    silent = signals.suspects ?? []
    signals.restSeconds = found.restHeardAt.map { (now - $0).seconds } ?? 0
    return signals
  }
}

extension Duration {
  package var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
