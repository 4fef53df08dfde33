// Commands waiting for the writer: bounded, and fair between callers. Each actor has its own line
// and lines are served in turn, so a flood of reports from one node never starves a person.

import DequeModule
import Hosting
import Synchronization

package struct PendingCommand: Sendable {
  let request: CommandRequest
  let seal: Digest
  let deadline: ContinuousClock.Instant
  /// The position of the state when the command came in: a refusal must rest on no older one.
  let answer: @Sendable (Result<Receipt, SubmitFailure>) -> Void

  package init(
    request: CommandRequest, seal: Digest, deadline: ContinuousClock.Instant,
    answer: @escaping @Sendable (Result<Receipt, SubmitFailure>) -> Void
  ) {
    self.request = request
    self.seal = seal
    self.deadline = deadline
    self.answer = answer
  }
}

/// The lines; a plain value so that fairness is tested without threads.
struct InboxLines {
  private var lines: [Actor: Deque<PendingCommand>] = [:]
  private var turns: Deque<Actor> = []
  private(set) var count = 0

  mutating func add(_ pending: PendingCommand, limits: InboxLimits) -> Bool {
    let actor = pending.request.principal.actor
    guard count < limits.commandsInAll, lines[actor]?.count ?? 0 < limits.commandsPerActor else {
      return false
    }
    if lines[actor] == nil { turns.append(actor) }
    lines[actor, default: []].append(pending)
    count += 1
    return true
  }

  /// The next commands, one of each line in turn.
  mutating func take(_ limit: Int) -> [PendingCommand] {
    var taken: [PendingCommand] = []
    while taken.count < limit, let actor = turns.popFirst() {
      guard let pending = lines[actor]?.popFirst() else { continue }
      taken.append(pending)
      count -= 1
      if lines[actor]?.isEmpty == true { lines[actor] = nil } else { turns.append(actor) }
    }
    return taken
  }

  /// Takes out those that waited too long.
  mutating func takeExpired(_ now: ContinuousClock.Instant) -> [PendingCommand] {
    take(count).filter { pending in
      if pending.deadline <= now { return true }
      lines[pending.request.principal.actor, default: []].append(pending)
      if !turns.contains(pending.request.principal.actor) {
        turns.append(pending.request.principal.actor)
      }
      count += 1
      return false
    }
  }
}

package struct InboxLimits: Sendable {
  package var commandsInAll = 16_384
  package var commandsPerActor = 2_048
  /// How long a command may wait for the database before it is answered.
  package var waitSeconds = 10
  package init() {}
}

/// The lines behind a mutex, with the bell that wakes the writer.
final class Inbox: Sendable {
  private struct Contents {
    var lines = InboxLines()
    /// Why nothing is accepted, while nothing is.
    var closed: SubmitFailure? = .unavailable("wharfd is starting")
  }

  let limits: InboxLimits
  private let contents = Mutex(Contents())
  private let ring: @Sendable () -> Void

  init(limits: InboxLimits, ring: @escaping @Sendable () -> Void) {
    self.limits = limits
    self.ring = ring
  }

  func add(_ pending: PendingCommand) {
    let (refused, wasEmpty) = contents.withLock { contents -> (SubmitFailure?, Bool) in
      if let closed = contents.closed { return (closed, false) }
      let wasEmpty = contents.lines.count == 0
      return (contents.lines.add(pending, limits: limits) ? nil : .busy, wasEmpty)
    }
    if let refused { return pending.answer(.failure(refused)) }
    if wasEmpty { ring() }
  }

  func take(_ limit: Int) -> [PendingCommand] { contents.withLock { $0.lines.take(limit) } }

  var count: Int { contents.withLock { $0.lines.count } }

  var isEmpty: Bool { count == 0 }

  func open() { contents.withLock { $0.closed = nil } }

  /// Accepts nothing more, and answers what waits.
  func close(_ reason: SubmitFailure) {
    let waiting = contents.withLock { contents in
      contents.closed = reason
      return contents.lines.take(contents.lines.count)
    }
    for pending in waiting { pending.answer(.failure(reason)) }
  }

  /// Answers what waits, and goes on accepting.
  func answerAll(_ reason: SubmitFailure) {
    let waiting = contents.withLock { $0.lines.take($0.lines.count) }
    for pending in waiting { pending.answer(.failure(reason)) }
  }

  /// Answers what waited longer than `waitSeconds`.
  func expire(_ now: ContinuousClock.Instant, _ reason: SubmitFailure) {
    let expired = contents.withLock { $0.lines.takeExpired(now) }
    for pending in expired { pending.answer(.failure(reason)) }
  }
}
