// Long polls wait here for a change of what they ask about: an agent for what its node is to run, a gateway for
// the policy. One task follows the heads and finds out once, for all of them, what changed on the way; so an
// event wakes those whom it concerns, and not every connection. Nothing of this runs on the thread of the log.

import EventLog
import HashTreeCollections
import Hosting
import ServiceLifecycle
import Synchronization
import Time

/// What a long poll may wait for.
package enum Subject: Hashable, Sendable {
  /// What a node is to run, or that it is no more.
  case assignment(ID<Node>)
  /// What gateways are told.
  case policy
  /// Whether this wharfd leads, or who does.
  case standing
  /// Any event on a stream.
  case stream(Stream)
}

package final class ChangeBoard: Service {
  /// At most this many long polls wait here at once.
  package static let waiterLimit = HeadBoard.waiterLimit
  /// A look at the head at least this often.
  private static let idleMilliseconds = 1_000

  private typealias Room = WaitingRoom<Void>

  private struct Contents {
    /// The changes up to this head were told.
    var told: Head?
    /// Has taken the events up to there.
    var follower: HeadFollower?
    var lastPolicyChange = Position.empty
    var waiting: [Subject: Set<Room.Ticket>] = [:]

    mutating func add(_ ticket: Room.Ticket, _ subjects: [Subject]) {
      for subject in subjects { waiting[subject, default: []].insert(ticket) }
    }

    mutating func remove(_ ticket: Room.Ticket, _ subjects: [Subject]) {
      for subject in subjects {
        waiting[subject]?.remove(ticket)
        if waiting[subject]?.isEmpty == true { waiting[subject] = nil }
      }
    }
  }

  private let board: HeadBoard
  private let policies: PolicyBook
  private let gateways: GatewayBook?
  private let room: Room
  private let contents = Mutex(Contents())

  /// - Parameter gateways: is told up to where the policy is the one in force, while this wharfd leads.
  package init(board: HeadBoard, policies: PolicyBook, gateways: GatewayBook? = nil) {
    self.board = board
    self.policies = policies
    self.gateways = gateways
    room = Room(limit: Self.waiterLimit, clocks: board.clocks)
  }

  /// How many waits there are, by subject.
  var waitingCount: Int { contents.withLock { $0.waiting.values.reduce(0) { $0 + $1.count } } }

  /// Runs until it is shut down or cancelled.
  package func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = board.current
      tell(head)
      await cancelWhenGracefulShutdown {
        _ = await self.board.wait(
          for: .change(head.state.position, head.standing),
          upTo: .milliseconds(Self.idleMilliseconds))
      }
    }
  }

  /// Wakes those who wait for something that changed on the way to this head.
  func tell(_ head: Head) {
    // Gateways are few, and what they are told is worked out here rather than by each of them.
    let policyChange = policies.lastChange(at: head)
    if case .leading(let epoch) = head.standing {
      gateways?.note(
        policy: policyChange, through: head.state.position, epoch: epoch, at: board.clocks.now)
    }
    let (old, follower) = contents.withLock { ($0.told, $0.follower) }
    let changed = old.flatMap { old in
      follower.flatMap { subjects(changedFrom: old, to: head, $0) }
    }
    // From here on anew, where it is not known what led here.
    let next = changed == nil ? board.follower(from: head.state.position) : follower
    let woken: Set<Room.Ticket> = contents.withLock { contents in
      defer {
        contents.told = head
        contents.follower = next
        contents.lastPolicyChange = policyChange
      }
      guard var changed else {
        // What became of a subject in between is not known: each looks by itself.
        return contents.waiting.values.reduce(into: []) { $0.formUnion($1) }
      }
      if policyChange != contents.lastPolicyChange { changed.insert(.policy) }
      return changed.reduce(into: []) { $0.formUnion(contents.waiting[$1] ?? []) }
    }
    if !woken.isEmpty { room.tell(woken, ()) }
  }

  /// The subjects that are others at one head than at an earlier one, but for the policy; none where that
  /// cannot be told.
  private func subjects(
    changedFrom old: Head, to new: Head, _ follower: HeadFollower
  ) -> Set<Subject>? {
    guard old.witness.era == new.witness.era, old.state.position <= new.state.position,
      let events = follower.take(through: new.state.position)
    else { return nil }
    var changed = Set(events.map { Subject.stream($0.stream) })
    if old.standing != new.standing { changed.insert(.standing) }
    for node in new.state.reassigned(since: old.state) { changed.insert(.assignment(node)) }
    return changed
  }

  /// Pauses until one of these may have changed after a head, or the time is over. Whoever pauses looks by
  /// itself: it may be woken though nothing changed.
  func pause(for subjects: [Subject], after head: Head, upTo timeout: Duration) async {
    if timeout <= .zero { return }
    await cancelWhenGracefulShutdown {
      _ = await self.room.wait(
        upTo: timeout,
        enter: { ticket in
          self.contents.withLock { contents in
            // What changed up to there was told before this ticket was known.
            if let told = contents.told, !told.isAsOf(head) { return () }
            contents.add(ticket, subjects)
            return nil
          }
        },
        leave: { ticket in self.contents.withLock { $0.remove(ticket, subjects) } })
    }
  }
}

extension Head {
  /// Whether all that is known here was known at another head, too.
  fileprivate func isAsOf(_ other: Head) -> Bool {
    guard witness.era == other.witness.era else { return false }
    // Who leads may change while the log stays as it is.
    return state.position < other.state.position
      || state.position == other.state.position && standing == other.standing
  }
}
