// What becomes of commands at a leader, as a value: those that came and are not settled, the batch that was
// decided ahead, the one that is stored and not answered yet. An input says what happened, and what is to be
// done comes back; MemberLoop does it, in that order. Nothing here waits, reads a clock, asks or answers.
//
//   came ─decided─▶ in a batch ─stored─▶ unanswered ─the next is on its way─▶ answered
//     ▲                │  └─refused─▶ looked up ─at the head, and not in the log─▶ answered
//     └─another appended, or it is not known whether it was stored─┘
//
// Its invariants are 2 and 3 of MemberLoop.swift. The commands of the batch under way are the first of
// `unsettled`; when an action throws, since the connection is lost, they are there still.

import Hosting
import Postgres
import Time

struct Leading {
  typealias Result = Swift.Result<Receipt, SubmitFailure>

  struct Answer {
    let pending: PendingCommand
    let result: Result
  }

  typealias Refused = (pending: PendingCommand, failure: SubmitFailure)

  enum Action {
    case answer([Answer])
    /// Those whose events it has are told so.
    case confirm(Batch)
    /// Raise the sign of life.
    case beat
    /// Read the log to its end, where another may lead.
    case readOn
    /// Go no further unless what a caller saw is here by now.
    case requireShown
    /// Read what persons have keys.
    case readKeys
    /// Go on with what `takeAhead` gives, or decide what waits; and come back with `gathered`.
    case gather(Draft)
    /// Append, and come back with `appended`.
    case append(Batch)
    /// It stands in the log: what is known goes on from it.
    case advance(Batch)
    /// Find out whether they are in the log, and whether nothing stands there behind what is known; come back
    /// with `lookedUp`.
    case lookUp([Refused])
    case tell(notStored: Int, PostgresError)
    /// Until there is news, or then.
    case rest(until: Clocks.Instant)
  }

  /// What the next batch begins with.
  struct Draft {
    /// With what was decided ahead. It stays here until it is gone on with: a second copy would have each of
    /// its arrays copied when more is decided into it.
    var isAhead: Bool
    /// Else with these.
    var commands: [PendingCommand]
    /// Whether those that come may join.
    var isOpen: Bool
  }

  /// What came of an append.
  enum Appended {
    case stored
    /// Someone else appended: read on and decide again.
    case collided
    /// A command of the batch is in the log already.
    case commandKnown
    /// A person whom it makes a key for has one already.
    case keyKnown
    /// The database would not store it.
    case rejected(PostgresError)
  }

  /// The next sign of life is due then.
  var nextBeat: Clocks.Instant
  var gathering = Gathering()
  /// Came, and are not stored, or not known to be.
  private(set) var unsettled: [PendingCommand] = []
  /// Decided while the batch before it was under way.
  private var ahead: Batch?
  /// Stored, and answered once the next batch is on its way: the database waits for that one, and those who
  /// are answered have nothing to do with it.
  private var unanswered: Batch?
  /// The database refused a batch for what is in one of its rows: all of `unsettled` goes in command by
  /// command, and nothing joins them until they are settled.
  private var storesAlone = false

  init(nextBeat: Clocks.Instant) { self.nextBeat = nextBeat }

  // MARK: What comes next

  /// - Parameters:
  ///   - isShort: a caller saw more of the log than is here.
  mutating func next(at now: Clocks.Instant, head: Position, isShort: Bool) -> [Action] {
    if now >= nextBeat { return confirming(.beat) }
    if isShort { return confirming(.readOn, .requireShown) }
    if let batch = ahead, batch.follows(head), gathering.isEnough(batch.outcomes.count) {
      ahead = nil
      return store(batch)
    }
    return confirming(.gather(draft(at: head)))
  }

  private mutating func draft(at head: Position) -> Draft {
    if unsettled.isEmpty { storesAlone = false }
    if let batch = ahead, batch.follows(head) {
      // Who waits after those of the batch comes before who comes now.
      return Draft(
        isAhead: true, commands: [], isOpen: unsettled.count == batch.outcomes.count)
    }
    ahead = nil
    let commands = Array(unsettled.prefix(storesAlone ? 1 : Batch.commandLimit))
    return Draft(
      isAhead: false, commands: commands, isOpen: unsettled.count == commands.count)
  }

  mutating func takeAhead() -> Batch? { ahead.take() }

  /// - Parameters:
  ///   - batch: none, when nobody waits.
  ///   - joined: those of it that came meanwhile.
  mutating func gathered(_ batch: Batch?, joined: [PendingCommand]) -> [Action] {
    unsettled += joined
    guard let batch else { return [.rest(until: nextBeat)] }
    return store(batch)
  }

  private mutating func store(_ batch: Batch) -> [Action] {
    batch.rows.isEmpty ? settled(batch) : [.append(batch)]
  }

  // MARK: While a batch is under way

  /// Those of the last batch that was stored, unless they were told: once the next one is on its way nothing
  /// waits for their answers.
  mutating func takeStored() -> Batch? { unanswered.take() }

  private mutating func confirming(_ actions: Action...) -> [Action] {
    takeStored().map { [.confirm($0)] + actions } ?? actions
  }

  /// Whether the next batch may be decided beside this one. Those that this one did not take come first.
  func mayDecide(aheadOf batch: Batch) -> Bool {
    !storesAlone && unsettled.count == batch.outcomes.count
  }

  /// They were decided into a batch that is dropped again unless exactly the state before it is stored.
  mutating func decidedAhead(_ batch: Batch?, joined: [PendingCommand]) {
    unsettled += joined
    ahead = batch
  }

  mutating func appended(_ outcome: Appended, _ batch: Batch) -> [Action] {
    if case .stored = outcome { return [.advance(batch)] + settled(batch) }
    ahead = nil
    switch outcome {
    case .stored: preconditionFailure("seen to above")
    case .collided, .commandKnown: return confirming(.readOn)
    case .keyKnown: return confirming(.readKeys)
    case .rejected(let error): return confirming() + rejected(batch, error)
    }
  }

  /// The database refused a whole batch. If one command may be at fault, each is tried alone.
  private mutating func rejected(_ batch: Batch, _ error: PostgresError) -> [Action] {
    let commands = batch.outcomes.map(\.pending)
    let told = Action.tell(notStored: commands.count, error)
    if commands.count > 1, error.sqlState?.hasPrefix("22") == true {
      storesAlone = true
      return [told]
    }
    unsettled.removeFirst(commands.count)
    let failure = SubmitFailure.unavailable("the database could not store it: \(error)")
    return [told, .answer(commands.map { Answer(pending: $0, result: .failure(failure)) })]
  }

  private mutating func settled(_ batch: Batch) -> [Action] {
    unsettled.removeFirst(batch.outcomes.count)
    var actions = confirming()
    unanswered = batch
    let refused = batch.refused
    guard !refused.isEmpty else { return actions }
    // Looking a refusal up takes round trips: nobody else waits for them.
    actions += confirming()
    unsettled = refused.map(\.pending) + unsettled
    return actions + [.lookUp(refused)]
  }

  /// A refusal goes out only if the command was never done, and only from the head of the log.
  mutating func lookedUp(
    _ refused: [Refused], found: [CommandID: Receipt], isAtHead: Bool
  ) -> [Action] {
    guard isAtHead else { return [.readOn] }
    unsettled.removeFirst(refused.count)
    return [
      .answer(
        refused.map { pending, failure in
          Answer(
            pending: pending,
            result: found[pending.request.id].map { Self.result(of: pending, $0) }
              ?? .failure(failure))
        })
    ]
  }

  // MARK: Settling

  /// What is in the log already under the ids of `unsettled` is answered, up to the head; the rest stays.
  mutating func found(_ known: [CommandID: Receipt], upTo head: Position) -> [Answer] {
    ahead = nil
    var answers: [Answer] = []
    unsettled.removeAll { pending in
      // What stands beyond the state was found just now, and is not known to be kept.
      guard let receipt = known[pending.request.id], receipt.position <= head else { return false }
      answers.append(Answer(pending: pending, result: Self.result(of: pending, receipt)))
      return true
    }
    return answers
  }

  private static func result(of pending: PendingCommand, _ receipt: Receipt) -> Result {
    receipt.events[0].commandHash == pending.seal
      ? .success(receipt) : .failure(.idUsedOtherwise(at: receipt.events[0].position))
  }

  /// The connection is lost: the batch under way may still commit, and those who waited too long are told so.
  mutating func lost(at now: Clocks.Instant, because reason: String) -> [Answer] {
    ahead = nil
    let late = unsettled.filter { $0.hasWaitedTooLong(at: now) }
    unsettled.removeAll { $0.hasWaitedTooLong(at: now) }
    let failure = SubmitFailure.outcomeUnknown(
      "the database went away while storing: \(reason)")
    return late.map { Answer(pending: $0, result: .failure(failure)) }
  }

  /// This one leads no more.
  mutating func ended(_ failure: SubmitFailure) -> [Answer] {
    ahead = nil
    defer { unsettled = [] }
    return unsettled.map { Answer(pending: $0, result: .failure(failure)) }
  }
}
