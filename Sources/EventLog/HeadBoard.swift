// The head of the log as this wharfd knows it: always a prefix of the log, published after commit
// only. Readers take a copy (free) and wait here for the position that they were promised, or until
// somebody else leads.

import DequeModule
import HeapModule
import Hosting
import Synchronization
import Time

package enum Standing: Equatable, Sendable {
  /// Has not read the log yet.
  case starting
  /// Serves reads; commands go to the leader at this address.
  case following(address: String?)
  /// Decides and appends; the epoch is the position of its `leadershipTaken`.
  case leading(epoch: Position)
}

package struct Head: Sendable {
  package let state: HostingState
  package let hash: Digest
  package let standing: Standing
  /// None until the database was asked.
  package var clock: LogClock?

  package init(
    state: HostingState, hash: Digest, standing: Standing, clock: LogClock? = nil
  ) {
    self.state = state
    self.hash = hash
    self.standing = standing
    self.clock = clock
  }

  /// What is told of it outside, and found again.
  package var witness: HeadWitness {
    HeadWitness(era: state.log.era?.position ?? .empty, position: state.position, hash: hash)
  }

  /// The time that a decision at this head would have: by it dates are judged.
  package func time(at instant: Clocks.Instant) -> Timestamp {
    max(clock?.now(instant) ?? state.recordedAt, state.recordedAt)
  }
}

/// Who follows what changed from head to head, by the events in between.
package final class HeadFollower: Sendable {
  private let board: HeadBoard

  fileprivate init(board: HeadBoard) { self.board = board }

  /// The events after those taken before, up to the position of a head; none where not all of them are kept
  /// any more, or not yet. Whoever goes back takes nothing.
  package func take(through last: Position) -> [StoredEvent]? { board.take(self, through: last) }

  deinit { board.leave(ObjectIdentifier(self)) }
}

/// What a wait for a head is for: a value, so that nothing of the caller runs on the thread of the log.
package enum HeadWish: Sendable {
  /// A head at this position or past it.
  case position(Position)
  /// A head past this position, or with another standing than this one.
  case change(Position, Standing)
  /// Somebody leads, and not the wharfd at this address.
  case leader(otherThan: String)
  /// This head, which somebody saw, is not beyond the one that is known here, or the log is read anew.
  case seen(HeadWitness)

  fileprivate func isMet(by head: Head) -> Bool {
    switch self {
    case .position(let position): head.state.position >= position
    case .change(let position, let standing):
      head.state.position > position || head.standing != standing
    case .leader(otherThan: let address):
      switch head.standing {
      case .leading: true
      case .following(let leader?): leader != address
      case .following(nil), .starting: false
      }
    case .seen(let witness): head.standing == .starting || !witness.isBeyond(head.witness)
    }
  }
}

package final class HeadBoard: Sendable {
  /// At most this many readers wait here at once.
  package static let waiterLimit = 65_536

  private typealias Room = WaitingRoom<Head>

  private struct Awaited: Comparable {
    let position: Position
    let ticket: Room.Ticket

    static func < (a: Self, b: Self) -> Bool {
      (a.position, a.ticket) < (b.position, b.ticket)
    }
  }

  /// What those in the room wait for.
  private struct Wishes {
    private var positions: [Room.Ticket: Position] = [:]
    /// The same, the earliest first; some wait no more.
    private var inOrder = Heap<Awaited>()
    private var others: [Room.Ticket: HeadWish] = [:]

    /// Entries held, also of waits that were given up.
    var count: Int { inOrder.count + others.count }

    mutating func add(_ wish: HeadWish, _ ticket: Room.Ticket) {
      guard case .position(let position) = wish else { return others[ticket] = wish }
      positions[ticket] = position
      inOrder.insert(Awaited(position: position, ticket: ticket))
    }

    mutating func remove(_ ticket: Room.Ticket) {
      others[ticket] = nil
      positions[ticket] = nil
      // A wait for a position that is far off would stand here for ever, though it was given up.
      if inOrder.count > 2 * positions.count + 64 {
        inOrder = Heap(positions.map { Awaited(position: $0.value, ticket: $0.key) })
      }
    }

    /// Takes out those that a head meets.
    mutating func takeMet(by head: Head) -> [Room.Ticket] {
      var met: [Room.Ticket] = []
      while let first = inOrder.min, first.position <= head.state.position {
        inOrder.removeMin()
        if positions.removeValue(forKey: first.ticket) != nil { met.append(first.ticket) }
      }
      for (ticket, wish) in others where wish.isMet(by: head) { met.append(ticket) }
      for ticket in met { others[ticket] = nil }
      return met
    }
  }

  /// The hashes of this many heads are kept, for whoever asks about one that was given out.
  package static let recentLimit = 4_096

  /// So many events are kept for those who follow what changed from head to head, and have not taken them
  /// yet. While nobody does, none are: events that are let go of late are let go of cold, which cost a leader
  /// a tenth of its rate.
  package static let eventLimit = 8_192

  private struct Contents {
    /// The last events that led to the head and that a follower has not taken, one position after another.
    var events: Deque<StoredEvent> = []
    /// Up to where each has taken them.
    var followers: [ObjectIdentifier: Position] = [:]
    /// Heads published, positions ascending.
    var recent: Deque<(position: Position, hash: Digest)> = []
    var head = Head(state: HostingState(), hash: Chain.origin, standing: .starting)
    /// Why a wharfd that has read the log does not stand in it.
    var obstacle: String?
    var wishes = Wishes()

    /// Forgets those of before where these do not follow them.
    mutating func note(_ new: [StoredEvent], to head: Head) {
      guard !followers.isEmpty, head.state.position != events.last?.position else { return }
      if new.first?.position != events.last?.position.next { events = [] }
      guard new.last?.position == head.state.position else { return events = [] }
      events.append(contentsOf: new.suffix(HeadBoard.eventLimit))
      if events.count > HeadBoard.eventLimit {
        events.removeFirst(events.count - HeadBoard.eventLimit)
      }
    }

    /// What all followers have taken.
    mutating func letGo() {
      guard let first = events.first?.position else { return }
      let taken = followers.values.min() ?? head.state.position
      if taken >= first {
        events.removeFirst(min(events.count, Int(taken.value - first.value) + 1))
      }
    }

    mutating func note(_ head: Head) {
      guard head.state.position > recent.last?.position ?? .empty else { return }
      recent.append((head.state.position, head.hash))
      if recent.count > HeadBoard.recentLimit { recent.removeFirst() }
    }
  }

  private let contents = Mutex(Contents())
  private let room: Room

  /// Those of the wharfd whose head this is.
  package let clocks: Clocks

  package init(clocks: Clocks = .system) {
    self.clocks = clocks
    room = Room(limit: Self.waiterLimit, clocks: clocks)
  }

  /// Waits that are noted here, and some that were given up.
  var awaited: Int { contents.withLock { $0.wishes.count } }

  package var current: Head { contents.withLock { $0.head } }

  /// While this wharfd is still starting: what keeps it from it, if it is more than time.
  package var obstacle: String? { contents.withLock { $0.obstacle } }

  /// What was read is not the log, or not yet. Nobody was told of it but that it is being read.
  func forget() {
    contents.withLock { contents in
      contents.head = Head(state: HostingState(), hash: Chain.origin, standing: .starting)
      contents.recent = []
      contents.events = []
    }
  }

  func publish(obstacle: String?) { contents.withLock { $0.obstacle = obstacle } }

  /// - Parameter events: those between the head before and this one.
  func publish(_ head: Head, _ events: [StoredEvent] = []) {
    let met = contents.withLock { contents in
      contents.head = head
      contents.note(events, to: head)
      contents.note(head)
      return contents.wishes.takeMet(by: head)
    }
    room.tell(met, head)
  }

  /// The time was read anew. Nobody waits for that.
  func publish(_ clock: LogClock) { contents.withLock { $0.head.clock = clock } }

  /// From here on the events that lead to heads are kept for the follower, until it is let go of.
  ///
  /// - Parameter position: of a head that was published; what led there is known.
  package func follower(from position: Position) -> HeadFollower {
    let follower = HeadFollower(board: self)
    contents.withLock { $0.followers[ObjectIdentifier(follower)] = position }
    return follower
  }

  fileprivate func take(_ follower: HeadFollower, through last: Position) -> [StoredEvent]? {
    contents.withLock { contents in
      let position = contents.followers[ObjectIdentifier(follower), default: last]
      guard position < last else { return [] }
      contents.followers[ObjectIdentifier(follower)] = last
      defer { contents.letGo() }
      guard let first = contents.events.first?.position, first <= position.next,
        last <= contents.events.last?.position ?? .empty
      else { return nil }
      let start = Int(position.next.value - first.value)
      return Array(contents.events[start...(Int(last.value - first.value))])
    }
  }

  /// How many events are kept for those who follow.
  var kept: Int { contents.withLock { $0.events.count } }

  fileprivate func leave(_ follower: ObjectIdentifier) {
    contents.withLock { contents in
      contents.followers[follower] = nil
      contents.letGo()
    }
  }

  /// The hash at the position of a head that was published lately.
  package func recentHash(at position: Position) -> Digest? {
    contents.withLock { contents in
      var (low, high) = (0, contents.recent.count)
      while low < high {
        let middle = (low + high) / 2
        if contents.recent[middle].position < position { low = middle + 1 } else { high = middle }
      }
      guard low < contents.recent.count, contents.recent[low].position == position else {
        return nil
      }
      return contents.recent[low].hash
    }
  }

  /// The head once it is at `position` or past it; none if that takes longer than `timeout`, if too
  /// many wait already, or once the task is cancelled.
  package func wait(for position: Position, upTo timeout: Duration) async -> Head? {
    await wait(for: .position(position), upTo: timeout)
  }

  /// The head once it is as was asked; none as above.
  package func wait(for wish: HeadWish, upTo timeout: Duration) async -> Head? {
    let head = current
    if wish.isMet(by: head) { return head }
    if timeout <= .zero { return nil }
    return await room.wait(
      upTo: timeout,
      enter: { ticket in
        contents.withLock { contents in
          if wish.isMet(by: contents.head) { return contents.head }
          contents.wishes.add(wish, ticket)
          return nil
        }
      },
      leave: { ticket in contents.withLock { $0.wishes.remove(ticket) } })
  }
}
