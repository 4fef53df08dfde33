// What a leader does: decides commands at the head of the log, appends them batch by batch, and answers.
// The invariants are those of MemberLoop.swift.

import Glibc
import Hosting
import Logging
import Postgres
import Time

extension MemberLoop {
  /// How long callers wait for their answer while the server makes ready for the next batch: longer only
  /// when someone has locked the table.
  private static let readyWait = Duration.milliseconds(2)

  mutating func append(
    _ batch: Batch, _ connection: inout Connection
  ) throws -> Leading.Appended {
    let start = clocks.now
    defer { leading.gathering.note(batch.outcomes.count, took: clocks.now - start) }
    do throws(PostgresError) {
      try send(batch, &connection)
      decideAhead(of: batch, &connection)
      do throws(PostgresError) { _ = try connection.receive() } catch {
        // What was prepared for it is no longer there: nothing has happened yet.
        guard !connection.isBroken, ["26000", "0A000"].contains(error.sqlState) else { throw error }
        try connection.execute(
          LogStatements.append(batch.rows, keys: batch.sealing.made),
          timeout: settings.statementTimeout)
      }
      return .stored
    } catch {
      guard !connection.isBroken, !error.isOutcomeUnknown, error.sqlState != nil else {
        throw error
      }
      switch error.constraint {
      case "events_pkey": return .collided
      case "events_command": return .commandKnown
      case VaultStatements.primaryKey: return .keyKnown
      default: return .rejected(error)
      }
    }
  }

  /// Starts the one statement that stores a batch, and answers the one before meanwhile.
  private mutating func send(
    _ batch: Batch, _ connection: inout Connection
  ) throws(PostgresError) {
    let (rows, keys) = (batch.rows, batch.sealing.made)
    // COPY fills one table, and new keys go into another.
    guard rows.count >= LogStatements.copyFromRows, keys.isEmpty else {
      try connection.send(
        LogStatements.append(rows, keys: keys), timeout: settings.statementTimeout)
      return confirmStored()
    }
    try connection.sendCopyIn(LogStatements.copyIn, timeout: settings.statementTimeout)
    // Answering takes longer than the server mostly needs to say that it is ready.
    if !connection.waitForAnswer(upTo: Self.readyWait) { confirmStored() }
    try connection.sendCopyData(batch.copyData)
    confirmStored()
  }

  mutating func lead(_ connection: inout Connection) throws {
    try carryOut(
      leading.next(at: clocks.now, head: state.position, isShort: shortOfShown != nil), &connection)
  }

  /// One after another. What is not done when one throws is not needed any more: the connection is lost, and
  /// what is unsettled stays so.
  private mutating func carryOut(
    _ actions: [Leading.Action], _ connection: inout Connection
  ) throws {
    for action in actions {
      switch action {
      case .answer(let answers): give(answers)
      case .confirm(let batch): confirm(batch)
      case .beat: try beat(&connection)
      case .readOn: try readOn(&connection)
      case .requireShown: try requireShown()
      case .readKeys: try keys.prepareAll(&connection, timeout: settings.statementTimeout)
      case .gather(let draft): try carryOut(gather(draft), &connection)
      case .append(let batch):
        let outcome = try append(batch, &connection)
        try carryOut(leading.appended(outcome, batch), &connection)
      case .advance(let batch): advance(batch)
      case .lookUp(let refused): try lookUp(refused, &connection)
      case .tell(let count, let error):
        logger.error("a batch of \(count) was not stored: \(error)")
      case .rest(let until):
        _ = try connection.waitForNotifications(
          timeout: max(.zero, until - clocks.now), wake: wake)
      }
    }
  }

  /// Decides what is there, and what comes in a moment.
  private mutating func gather(_ draft: Leading.Draft) -> [Leading.Action] {
    guard let clock else { preconditionFailure("a leader has read the database's time") }
    var batch = draft.isAhead ? leading.takeAhead() : nil
    if !draft.commands.isEmpty { batch = decide(draft.commands, clock) }
    var joined: [PendingCommand] = []
    if draft.isOpen {
      leading.gathering.take(inbox, having: leading.unsettled.count, by: clocks) { commands in
        joined += commands
        if batch == nil {
          batch = decide(commands, clock)
        } else {
          batch?.append(commands, now: clock.now(clocks.now))
        }
      }
    }
    return leading.gathered(batch, joined: joined)
  }

  private func decide(_ commands: [PendingCommand], _ clock: LogClock) -> Batch {
    Batch(
      commands, after: state, hash: hash, now: clock.now(clocks.now),
      sealing: keys.sealing { [clocks] in clocks.random.bytes(PersonKey.byteCount) })
  }

  /// Raises the sign of life, and learns the database's time and whether another took over.
  private mutating func beat(_ connection: inout Connection) throws {
    guard case .leading(let epoch) = standing else { return }
    let asked = clocks.now
    let rows = try connection.query(
      LogStatements.beat(epoch: epoch), timeout: settings.statementTimeout)
    leading.nextBeat = clocks.now + .seconds(Candidacy.beatSeconds)
    if rows.count == 0 { return try readOn(&connection) }
    try appear(&connection)
    // What tends the log, such as `wharfd finalize`, appends beside the leader.
    if try rows[0].decode(Int64.self, at: 0) > state.position.value { try readOn(&connection) }
    // Not before: another may have taken the lead, and not yet the row.
    if case .leading(epoch) = standing { touched(asked) }
  }

  /// Someone else appended. If that was a new leader, this one is deposed.
  private mutating func readOn(_ connection: inout Connection) throws {
    try catchUp(&connection)
    try answerKnown(&connection)
    if case .leading(let epoch) = standing, state.log.leader?.epoch != epoch {
      stand(.following(address: leaderElsewhere))
    }
  }

  /// Decides the next batch while this one is under way, so that the database does not wait for it.
  private mutating func decideAhead(of batch: Batch, _ connection: inout Connection) {
    guard case .leading = standing, leading.mayDecide(aheadOf: batch), let clock else { return }
    let spinning = leading.gathering.spinning(behind: batch.outcomes.count)
    var (next, joined) = (Batch?.none, [PendingCommand]())
    repeat {
      let count = next?.outcomes.count ?? 0
      let room = Gathering.share(of: batch.outcomes.count + count + inbox.count) - count
      let commands = inbox.take(room)
      if commands.isEmpty { continue }
      joined += commands
      let now = clock.now(clocks.now)
      if next == nil {
        next = Batch(
          commands, after: batch.state, hash: batch.hash, now: now,
          sealing: keys.sealing(behind: batch.sealing))
      } else {
        next?.append(commands, now: now)
      }
      next?.copyRows()
    } while !connection.waitForAnswer(orWake: wake, spinning: spinning)
    leading.decidedAhead(next, joined: joined)
  }

  /// Answers what is in the log already under the ids of what is unsettled, up to the state; the rest stays.
  mutating func answerKnown(_ connection: inout Connection) throws {
    let commands = leading.unsettled
    let known = commands.isEmpty ? [:] : try receipts(of: commands, &connection)
    give(leading.found(known, upTo: state.position))
  }

  private func receipts(
    of commands: [PendingCommand], _ connection: inout Connection
  ) throws -> [CommandID: Receipt] {
    let rows = try connection.query(
      LogStatements.read(commands: commands.map(\.request.id)),
      timeout: settings.statementTimeout)
    var events: [CommandID: [StoredEvent]] = [:]
    for index in 0..<rows.count {
      let event = try StoredEvent(rows[index])
      events[event.commandID, default: []].append(event)
    }
    return events.mapValues { Receipt(events: $0) }
  }

  private mutating func lookUp(
    _ refused: [Leading.Refused], _ connection: inout Connection
  ) throws {
    let found = try receipts(of: refused.map(\.pending), &connection)
    let head = try connection.query(LogStatements.head, timeout: settings.statementTimeout)
    let isAtHead = try head[0].decode(Int64.self, at: 0) == state.position.value
    try carryOut(leading.lookedUp(refused, found: found, isAtHead: isAtHead), &connection)
  }

  func give(_ answers: [Leading.Answer]) {
    for answer in answers { answer.pending.answer(answer.result) }
  }

  mutating func confirmStored() {
    if let batch = leading.takeStored() { confirm(batch) }
  }

  private func confirm(_ batch: Batch) {
    for decided in batch.outcomes {
      guard case .accepted(let range) = decided.outcome else { continue }
      decided.pending.answer(.success(Receipt(events: Array(batch.rows[range]))))
    }
  }
}
