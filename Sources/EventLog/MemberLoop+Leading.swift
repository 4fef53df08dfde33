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

  mutating func append(
    _ batch: Batch, _ connection: inout Connection
  ) throws -> Appended {
    let start = clocks.now
    defer { gathering.note(batch.outcomes.count, took: clocks.now - start) }
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
      answerStored()
      ahead = nil
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
      return answerStored()
    }
    try connection.sendCopyIn(LogStatements.copyIn, timeout: settings.statementTimeout)
    // Answering takes longer than the server mostly needs to say that it is ready.
    if !connection.waitForAnswer(upTo: Self.readyWait) { answerStored() }
    try connection.sendCopyData(batch.copyData)
    answerStored()
  }

  mutating func lead(_ connection: inout Connection) throws {
    if clocks.now >= nextBeat {
      answerStored()
      try beat(&connection)
    }
    guard case .leading = standing else { return }
    if shortOfShown != nil {
      answerStored()
      try readOn(&connection)
      try requireShown()
      guard case .leading = standing else { return }
    }
    if let batch = ahead, batch.follows(state.position), gathering.isEnough(batch.outcomes.count) {
      ahead = nil
      return try store(batch, &connection)
    }
    answerStored()
    guard let batch = gather() else {
      _ = try connection.waitForNotifications(
        timeout: max(.zero, nextBeat - clocks.now), wake: wake)
      return
    }
    try store(batch, &connection)
  }

  /// Decides what is there, and what comes in a moment; none when nobody waits.
  private mutating func gather() -> Batch? {
    guard let clock else { preconditionFailure("a leader has read the database's time") }
    if unsettled.isEmpty { storesAlone = false }
    var batch = ahead.take().flatMap { $0.follows(state.position) ? $0 : nil }
    if batch == nil, !unsettled.isEmpty {
      batch = decide(Array(unsettled.prefix(storesAlone ? 1 : Batch.commandLimit)), clock)
    }
    // Who waits after those of the batch comes before who comes now.
    guard unsettled.count == batch?.outcomes.count ?? 0 else { return batch }
    var more: [PendingCommand] = []
    gathering.take(inbox, having: unsettled.count, by: clocks) { commands in
      more += commands
      if batch == nil {
        batch = decide(commands, clock)
      } else {
        batch?.append(commands, now: clock.now(clocks.now))
      }
    }
    unsettled += more
    return batch
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
    nextBeat = clocks.now + .seconds(Candidacy.beatSeconds)
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
    guard case .leading = standing, !storesAlone, let clock else { return }
    // Those of the batch under way are the first of `unsettled`; any after them were not taken by it.
    guard unsettled.count == batch.outcomes.count else { return }
    let spinning = gathering.spinning(behind: batch.outcomes.count)
    var next: Batch?
    repeat {
      let count = next?.outcomes.count ?? 0
      let room = Gathering.share(of: batch.outcomes.count + count + inbox.count) - count
      let commands = inbox.take(room)
      if commands.isEmpty { continue }
      unsettled += commands
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
    ahead = next
  }

  /// Appends a batch, whose commands are the first of `unsettled`; they are answered once it is stored.
  private mutating func store(_ batch: Batch, _ connection: inout Connection) throws {
    let commands = batch.outcomes.map(\.pending)
    if !batch.rows.isEmpty {
      switch try append(batch, &connection) {
      case .stored:
        advance(batch)
      case .collided:
        return try readOn(&connection)
      case .commandKnown:
        return try readOn(&connection)
      case .keyKnown:
        return try keys.prepareAll(&connection, timeout: settings.statementTimeout)
      case .rejected(let error):
        return try reject(commands, error, &connection)
      }
    }
    unsettled.removeFirst(commands.count)
    answerStored()
    unanswered = batch
    let refused = batch.refused
    guard !refused.isEmpty else { return }
    // Looking a refusal up takes round trips: nobody else waits for them.
    answerStored()
    try answer(refused: refused, &connection)
  }

  /// The database refused a whole batch. If one command may be at fault, each is tried alone.
  private mutating func reject(
    _ commands: [PendingCommand], _ error: PostgresError, _ connection: inout Connection
  ) throws {
    logger.error("a batch of \(commands.count) was not stored: \(error)")
    if commands.count > 1, error.sqlState?.hasPrefix("22") == true {
      storesAlone = true
      return
    }
    unsettled.removeFirst(commands.count)
    for pending in commands {
      pending.answer(.failure(.unavailable("the database could not store it: \(error)")))
    }
  }

  /// Answers what is in the log already under the ids of `unsettled`, up to the state; the rest stays.
  mutating func answerKnown(_ connection: inout Connection) throws {
    ahead = nil
    guard !unsettled.isEmpty else { return }
    let known = try receipts(of: unsettled, &connection)
    unsettled.removeAll { pending in
      // What stands beyond the state was found just now, and is not known to be kept.
      guard let receipt = known[pending.request.id], receipt.position <= state.position else {
        return false
      }
      pending.answer(Self.result(of: pending, receipt))
      return true
    }
  }

  private static func result(
    of pending: PendingCommand, _ receipt: Receipt
  ) -> Result<Receipt, SubmitFailure> {
    receipt.events[0].commandHash == pending.seal
      ? .success(receipt) : .failure(.idUsedOtherwise(at: receipt.events[0].position))
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

  /// Those of the last batch that was stored, unless they were answered.
  mutating func answerStored() {
    guard let batch = unanswered.take() else { return }
    for decided in batch.outcomes {
      guard case .accepted(let range) = decided.outcome else { continue }
      decided.pending.answer(.success(Receipt(events: Array(batch.rows[range]))))
    }
  }

  /// A refusal goes out only if the command was never done, and only from the head of the log.
  private mutating func answer(
    refused: [(pending: PendingCommand, failure: SubmitFailure)], _ connection: inout Connection
  ) throws {
    unsettled = refused.map(\.pending) + unsettled
    let known = try receipts(of: refused.map(\.pending), &connection)
    let head = try connection.query(LogStatements.head, timeout: settings.statementTimeout)
    guard try head[0].decode(Int64.self, at: 0) == state.position.value else {
      return try readOn(&connection)
    }
    unsettled.removeFirst(refused.count)
    for (pending, failure) in refused {
      if let receipt = known[pending.request.id] {
        pending.answer(Self.result(of: pending, receipt))
      } else {
        pending.answer(.failure(failure))
      }
    }
  }
}
