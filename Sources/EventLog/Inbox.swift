// Commands waiting for the writer: bounded, and fair between callers. Each actor has its own line, and lines are
// served in turn, so a flood of reports from one node never starves a person. Before that turns go round among
// wharfd's own commands, those of persons and those of machines: ten thousand nodes that report are ten thousand
// lines, and what they report of would be planned too late if the reconciler stood among them as one.

import DequeModule
import Hosting
import Synchronization
import Time

/// A command and who waits for it. A class, because it is handed on many times and never changes: a copy
/// of a struct of this size counts the references of each of its parts.
package final class PendingCommand: Sendable {
  let request: CommandRequest
  let seal: Digest
  /// Until when it may wait; none: nobody waits for it.
  let deadline: Clocks.Instant?
  let answer: @Sendable (Result<Receipt, SubmitFailure>) -> Void

  package init(
    request: CommandRequest, seal: Digest, deadline: Clocks.Instant?,
    answer: @escaping @Sendable (Result<Receipt, SubmitFailure>) -> Void
  ) {
    self.request = request
    self.seal = seal
    self.deadline = deadline
    self.answer = answer
  }

  /// One that whoever decides it looks at himself.
  convenience init(request: CommandRequest, seal: Digest) {
    self.init(request: request, seal: seal, deadline: nil, answer: { _ in })
  }

  func hasWaitedTooLong(at now: Clocks.Instant) -> Bool { deadline.map { $0 <= now } ?? false }
}

/// The lines; a plain value so that fairness is tested without threads.
struct InboxLines {
  private enum Sort: Int, CaseIterable {
    case own, persons, machines

    init(_ actor: Actor) {
      switch actor {
      case .wharfd: self = .own
      case .of(let stream):
        switch stream.kind {
        case .node, .gateway: self = .machines
        default: self = .persons
        }
      }
    }
  }

  private struct Line {
    var actor: Actor
    var sort: Sort
    var waiting: Deque<PendingCommand> = []
  }

  /// This many callers keep their line while nothing of theirs waits: most come again at once.
  private static let idleLinesLimit = 1_024

  private var lines: [Line] = []
  private var numbers: [Actor: Int] = [:]
  private var unused: [Int] = []
  /// The lines of each sort in which someone waits, each once.
  private var turns = [Deque<Int>](repeating: [], count: Sort.allCases.count)
  /// The sort whose turn it is.
  private var nextSort = 0
  private(set) var count = 0
  /// Of those, the ones that are not wharfd's own.
  private var othersCount = 0

  mutating func add(_ pending: PendingCommand, limits: InboxLimits) -> Bool {
    let actor = pending.request.principal.actor
    let isOwn = actor == .wharfd
    // What is full of others' commands has room for what is to be done about them.
    guard isOwn || othersCount < limits.commandsInAll else { return false }
    let number = number(of: actor)
    guard lines[number].waiting.count < limits.commandsPerActor else { return false }
    if lines[number].waiting.isEmpty { turns[lines[number].sort.rawValue].append(number) }
    lines[number].waiting.append(pending)
    count += 1
    if !isOwn { othersCount += 1 }
    return true
  }

  private mutating func number(of actor: Actor) -> Int {
    if let number = numbers[actor] { return number }
    let number: Int
    if let free = unused.popLast() {
      number = free
      lines[number].actor = actor
      lines[number].sort = Sort(actor)
    } else {
      number = lines.count
      lines.append(Line(actor: actor, sort: Sort(actor)))
    }
    numbers[actor] = number
    return number
  }

  /// The line whose turn it is; none when nobody waits.
  private mutating func takeTurn() -> Int? {
    for _ in 0..<turns.count {
      defer { nextSort = (nextSort + 1) % turns.count }
      if let number = turns[nextSort].popFirst() { return number }
    }
    return nil
  }

  /// The next commands, of each sort one in turn, and of each line of it.
  mutating func take(_ limit: Int) -> [PendingCommand] {
    var taken: [PendingCommand] = []
    taken.reserveCapacity(min(limit, count))
    while taken.count < limit, let number = takeTurn() {
      let sort = lines[number].sort
      taken.append(lines[number].waiting.removeFirst())
      if sort != .own { othersCount -= 1 }
      if lines[number].waiting.isEmpty {
        leave(number)
      } else {
        turns[sort.rawValue].append(number)
      }
    }
    count -= taken.count
    return taken
  }

  private mutating func leave(_ number: Int) {
    guard numbers.count > Self.idleLinesLimit else { return }
    numbers[lines[number].actor] = nil
    lines[number].waiting = []
    unused.append(number)
  }

  /// Takes out those that waited too long.
  mutating func takeExpired(_ now: Clocks.Instant) -> [PendingCommand] {
    var expired: [PendingCommand] = []
    for sort in turns.indices {
      for _ in 0..<turns[sort].count {
        let number = turns[sort].removeFirst()
        expired += lines[number].waiting.filter { $0.hasWaitedTooLong(at: now) }
        lines[number].waiting.removeAll { $0.hasWaitedTooLong(at: now) }
        if lines[number].waiting.isEmpty { leave(number) } else { turns[sort].append(number) }
      }
    }
    count -= expired.count
    othersCount -= expired.count { $0.request.principal.actor != .wharfd }
    return expired
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

  func add(_ pending: PendingCommand) { add([pending]) }

  /// Those of one caller stay together. Where one finds no room, none after it does.
  func add(_ commands: [PendingCommand]) {
    let (taken, refusal, wasEmpty) = contents.withLock {
      contents -> (Int, SubmitFailure, Bool) in
      if let closed = contents.closed { return (0, closed, false) }
      let wasEmpty = contents.lines.count == 0
      let taken = commands.prefix { contents.lines.add($0, limits: limits) }.count
      return (taken, .busy, wasEmpty)
    }
    for pending in commands[taken...] { pending.answer(.failure(refusal)) }
    if wasEmpty, taken > 0 { ring() }
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
  func expire(_ now: Clocks.Instant, _ reason: SubmitFailure) {
    let expired = contents.withLock { $0.lines.takeExpired(now) }
    for pending in expired { pending.answer(.failure(reason)) }
  }
}
