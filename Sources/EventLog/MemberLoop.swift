// The one thread that reads and writes the log for a wharfd: it follows, or leads, over one
// connection, and blocks only in waits that have a limit.
//
// Invariants:
//  1. `state` and `hash` are those of a prefix of the log; they move only by events known committed.
//  2. While leading, at most one batch is under way. Commands that come in meanwhile are decided into
//     the next on the state after it, and dropped again unless exactly that state commits.
//  3. A command is answered once: with the events found in the log under its id, or with a refusal
//     that was checked against the log's head after everything before it had committed.
//  4. After a lost connection the batch under way may still commit. Leading goes on only after a new
//     `leadershipTaken` was stored at head+1, which no earlier statement can then follow.
//
//   starting ─▶ following ◀──────────────▶ leading
//                   ▲  deposed, or connection lost │
//                   └──────────────────────────────┘

import Glibc
import Hosting
import Logging
import Postgres

struct MemberLoop {
  private static let readLimit = 1_000
  /// How long callers wait for their answer while the server makes ready for the next batch: longer only
  /// when someone has locked the table.
  private static let readyWait = Duration.milliseconds(2)

  let settings: LogSettings
  let secret: ClusterSecret
  let keys: PersonKeys
  private let fingerprint: Digest
  let board: HeadBoard
  let inbox: Inbox
  let wake: WakeDescriptor
  let stopped: @Sendable () -> Bool
  /// Told whenever the database answered as it should.
  let touched: @Sendable () -> Void
  /// Whether that is too long ago to let anybody wait.
  let outOfTouch: @Sendable () -> OutOfTouch?
  let logger: Logger

  private var state = HostingState()
  private var hash = Chain.origin
  private var standing = Standing.starting
  private var candidacy = Candidacy()
  private var clock: LogClock?
  private var nextBeat = ContinuousClock.now
  private var nextSighting = ContinuousClock.now
  private var nextAppearance = ContinuousClock.now
  /// Backend pids of the connections that this loop has had.
  private var sessionsOfOurs: Set<Int32> = []
  /// Commands whose batch was not stored, or not known to be.
  private var unsettled: [PendingCommand] = []
  /// Decided while the batch before it was under way: the first of `unsettled`.
  private var ahead: Batch?
  /// Stored, and answered once the next batch is on its way: the database waits for that one, and
  /// those who are answered have nothing to do with it.
  private var unanswered: Batch?
  /// The database refused a batch for what is in one of its rows: all of `unsettled` goes in command by
  /// command, and nothing joins them until they are settled.
  private var storesAlone = false
  private var gathering = Gathering()

  init(
    settings: LogSettings, secret: ClusterSecret, keys: PersonKeys, board: HeadBoard,
    inbox: Inbox, wake: WakeDescriptor, stopped: @escaping @Sendable () -> Bool,
    touched: @escaping @Sendable () -> Void,
    outOfTouch: @escaping @Sendable () -> OutOfTouch?, logger: Logger
  ) {
    self.settings = settings
    self.secret = secret
    self.keys = keys
    fingerprint = secret.fingerprint
    self.board = board
    self.inbox = inbox
    self.wake = wake
    self.stopped = stopped
    self.touched = touched
    self.outOfTouch = outOfTouch
    self.logger = logger
  }

  /// Runs until stopped, or until the log cannot be read on.
  mutating func run() throws {
    var backoff = Backoff()
    defer {
      inbox.close(.unavailable("wharfd is stopping"))
      for pending in unsettled { pending.answer(.failure(.outcomeUnknown("wharfd is stopping"))) }
    }
    while !stopped() {
      do {
        var connection = try Connection(settings.database, timeout: settings.connectTimeout)
        sessionsOfOurs.insert(connection.backendProcessID)
        try prepare(&connection)
        try start(&connection)
        try recognise(&connection)
        try catchUp(&connection)
        backoff.reset()
        try follow(&connection)
        return
      } catch let error as PostgresError {
        logger.warning("lost the database: \(error)")
        // What is published stays: a leader that comes back leads on, unless another does by then.
        if case .leading = standing { standing = .following(address: nil) }
        nextSighting = ContinuousClock.now
        rest(backoff.next())
        expire(because: error.description)
      }
    }
  }

  /// Waits between tries to connect, in short steps so that a stop is not kept waiting.
  private func rest(_ duration: Duration) {
    let end = ContinuousClock.now + duration
    while !stopped(), ContinuousClock.now < end { usleep(20_000) }
  }

  private mutating func expire(because reason: String) {
    ahead = nil
    let now = ContinuousClock.now
    if let outOfTouch = outOfTouch() { inbox.answerAll(.outOfTouch(outOfTouch)) }
    inbox.expire(now, .unavailable("the database cannot be reached: \(reason)"))
    for pending in unsettled where pending.deadline <= now {
      pending.answer(.failure(.outcomeUnknown("the database went away while storing: \(reason)")))
    }
    unsettled.removeAll { $0.deadline <= now }
  }

  /// The log is durable whatever the database's own setting says; notifications are only hints.
  private func prepare(_ connection: inout Connection) throws {
    try connection.execute(LogStatements.durable)
    try connection.listen(to: LogStatements.channel)
  }

  /// A connection may lead to another database than the last one did: a standby that lacks what was
  /// acknowledged, or a backup. This wharfd is a witness too, and folds nothing on top of a past that
  /// it did not see.
  private func recognise(_ connection: inout Connection) throws {
    let found = try LogStatements.readHash(
      at: state.position, &connection, timeout: settings.statementTimeout)
    guard found == hash else {
      throw LogError.otherPast(position: state.position, seen: hash, found: found)
    }
  }

  /// Goes on from a snapshot, where nothing was read yet.
  private mutating func start(_ connection: inout Connection) throws {
    if state.position == .empty, let kept = try settings.snapshots?.newest(on: &connection) {
      state = kept.state
      hash = kept.hash
      try requireReadable()
      keys.forgetThose(in: state)
      logger.info("starting from the snapshot at position \(state.position)")
      publish()
    }
    try appear(&connection)
  }

  private func requireReadable() throws(LogError) {
    guard state.log.formatLevel > settings.formatLevel else { return }
    throw .formatNewer(
      position: state.position, log: state.log.formatLevel, known: settings.formatLevel)
  }

  /// With another secret every seal and every engine key would be another one.
  private func requireOurSecret() throws(LogError) {
    guard let recorded = state.log.secretFingerprint, recorded != fingerprint else { return }
    throw .otherSecret(recorded: recorded, given: fingerprint)
  }

  /// Says that this wharfd is here, and what it reads.
  private mutating func appear(_ connection: inout Connection) throws {
    try connection.execute(
      MemberStatements.appear(
        instance: settings.instance, formatLevel: settings.formatLevel, address: settings.address,
        position: state.position),
      timeout: settings.statementTimeout)
    nextAppearance = ContinuousClock.now + .seconds(Candidacy.beatSeconds)
  }

  private func publish() {
    board.publish(Head(state: state, hash: hash, standing: standing))
  }

  /// Reads on from the last known position to the head.
  private mutating func catchUp(_ connection: inout Connection) throws {
    while true {
      let rows = try connection.query(
        LogStatements.read(after: state.position, limit: Self.readLimit),
        timeout: settings.statementTimeout)
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, &connection)
      for event in events { try fold(event) }
      let isAtHead = events.count < Self.readLimit
      // Not before: the log may hold that it took another secret later on.
      if isAtHead { try requireOurSecret() }
      if !events.isEmpty { publish() }
      if isAtHead {
        touched()
        return
      }
    }
  }

  private mutating func fold(_ event: StoredEvent) throws(LogError) {
    guard event.position == state.position.next else {
      throw .gap(expected: state.position.next, found: event.position)
    }
    guard Chain.hash(of: event, after: hash) == event.hash else {
      throw .broken(position: event.position, reason: "the row is not what was appended")
    }
    try state.fold(event, keys)
    hash = event.hash
    note(event)
    try requireReadable()
  }

  /// Who is forgotten is so here before the state says it, and the leader is soon told that it is.
  private mutating func note(_ event: StoredEvent) {
    guard event.stream.kind == .person, event.type == PersonForgotten.type else { return }
    keys.note(event)
    nextAppearance = ContinuousClock.now
    nextBeat = ContinuousClock.now
  }
}

// MARK: Following

extension MemberLoop {
  private mutating func follow(_ connection: inout Connection) throws {
    defer { answerStored() }
    while !stopped() {
      if case .leading = standing {
        try lead(&connection)
        continue
      }
      try catchUp(&connection)
      if ContinuousClock.now >= nextAppearance { try appear(&connection) }
      if ContinuousClock.now >= nextSighting, try shouldLead(&connection) {
        try takeLead(&connection)
        continue
      }
      try answerKnown(&connection)
      stand(.following(address: leaderElsewhere))
      _ = try connection.waitForNotifications(timeout: settings.pollInterval, wake: wake)
    }
    if case .leading(let epoch) = standing {
      try connection.execute(LogStatements.stepDown(epoch: epoch))
    }
    try connection.execute(
      MemberStatements.leave(instance: settings.instance, address: settings.address))
  }

  /// Nobody's, where the log names this very wharfd: as it was before it was started anew.
  private var leaderElsewhere: String? {
    state.log.leader.flatMap { $0.address == settings.address ? nil : $0.address }
  }

  private mutating func stand(_ new: Standing) {
    guard standing != new else { return }
    standing = new
    switch new {
    case .leading(let epoch):
      logger.info("leading", metadata: ["epoch": "\(epoch)"])
      inbox.open()
    case .following(let address):
      logger.info("following", metadata: ["leader": "\(address ?? "unknown")"])
      inbox.close(.notLeading(address: address))
      settle { _ in .notLeading(address: address) }
    case .starting: break
    }
    publish()
  }

  private mutating func settle(_ failure: (PendingCommand) -> SubmitFailure) {
    ahead = nil
    for pending in unsettled { pending.answer(.failure(failure(pending))) }
    unsettled = []
  }

  private mutating func shouldLead(_ connection: inout Connection) throws -> Bool {
    let now = ContinuousClock.now
    nextSighting = now + settings.pollInterval
    let rows = try connection.query(LogStatements.leader, timeout: settings.statementTimeout)
    guard rows.count > 0 else { return true }
    let row = rows[0]
    let sighting = Candidacy.Sighting(
      instance: try row.decode(String?.self, at: 0), beat: try row.decode(Int64.self, at: 1),
      sessionAlive: try row.decode(Bool.self, at: 3), address: try row.decode(String.self, at: 2))
    // Our own row, of a session that is gone or was ours: nobody else leads.
    let session = try row.decode(Int32.self, at: 4)
    if sighting.instance == settings.instance,
      !sighting.sessionAlive || sessionsOfOurs.contains(session)
    {
      return true
    }
    return candidacy.shouldLead(sighting, at: now)
  }

  /// Appends `leadershipTaken`; whoever else appended meanwhile keeps or gets the lead.
  private mutating func takeLead(_ connection: inout Connection) throws {
    let (database, databaseTime) = try LogStatements.readIdentity(
      &connection, timeout: settings.statementTimeout)
    if let era = state.log.era, era.database != database {
      throw LogError.otherEra(recorded: era.database.description, found: database.description)
    }
    // Who appends next knows every key: only another append could bring one, and this one would fail.
    try keys.prepareAll(&connection, timeout: settings.statementTimeout)
    keys.giveUpMissing(in: state)
    let clock = LogClock(databaseTime: databaseTime, readAt: ContinuousClock.now)
    let request = CommandRequest(
      id: settings.makeCommandID(),
      command: TakeLeadership(
        instance: settings.instance, address: settings.address, database: database,
        formatLevel: settings.formatLevel, secretFingerprint: fingerprint),
      principal: .wharfd)
    let pending = PendingCommand(
      request: request, seal: request.seal(secret), deadline: ContinuousClock.now, answer: { _ in })
    let batch = Batch(
      [pending], after: state, hash: hash, now: clock.now(ContinuousClock.now), sealing: .nothing)
    guard case .stored = try append(batch, &connection) else { return }
    advance(batch)
    self.clock = clock
    candidacy = Candidacy()
    let row = LogStatements.takeRow(
      instance: settings.instance, epoch: state.position, address: settings.address)
    try connection.execute(row)
    nextBeat = ContinuousClock.now + .seconds(Candidacy.beatSeconds)
    stand(.leading(epoch: state.position))
    try answerKnown(&connection)
  }

  private mutating func advance(_ batch: Batch) {
    keys.add(batch.sealing.made)
    for row in batch.rows { note(row) }
    state = batch.state
    hash = batch.hash
    publish()
  }
}

// MARK: Leading

extension MemberLoop {
  private enum Appended {
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

  private mutating func append(
    _ batch: Batch, _ connection: inout Connection
  ) throws -> Appended {
    let start = ContinuousClock.now
    defer { gathering.note(batch.outcomes.count, took: ContinuousClock.now - start) }
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

  private mutating func lead(_ connection: inout Connection) throws {
    if ContinuousClock.now >= nextBeat {
      answerStored()
      try beat(&connection)
    }
    guard case .leading = standing else { return }
    if let batch = ahead, batch.follows(state.position), gathering.isEnough(batch.outcomes.count) {
      ahead = nil
      return try store(batch, &connection)
    }
    answerStored()
    if var batch = ahead.take(), batch.follows(state.position), let clock {
      let more = gathering.take(inbox, having: batch.outcomes.count)
      unsettled += more
      batch.append(more, now: clock.now(ContinuousClock.now))
      return try store(batch, &connection)
    }
    if unsettled.isEmpty { storesAlone = false }
    if !storesAlone { unsettled += gathering.take(inbox, having: unsettled.count) }
    guard !unsettled.isEmpty else {
      _ = try connection.waitForNotifications(
        timeout: max(.zero, nextBeat - ContinuousClock.now), wake: wake)
      return
    }
    try store(Array(unsettled.prefix(storesAlone ? 1 : Batch.commandLimit)), &connection)
  }

  /// Raises the sign of life, reads the database's time, and learns whether another took over.
  private mutating func beat(_ connection: inout Connection) throws {
    guard case .leading(let epoch) = standing else { return }
    let rows = try connection.query(
      LogStatements.beat(epoch: epoch), timeout: settings.statementTimeout)
    let now = ContinuousClock.now
    nextBeat = now + .seconds(Candidacy.beatSeconds)
    if rows.count == 0 { return try readOn(&connection) }
    touched()
    let time = try rows[0].decode(PostgresTimestamp.self, at: 0)
    clock = LogClock(
      databaseTime: Timestamp(microseconds: time.microsecondsSinceUnixEpoch), readAt: now)
    try appear(&connection)
    // What tends the log, such as `wharfd finalize`, appends beside the leader.
    if try rows[0].decode(Int64.self, at: 1) > state.position.value { try readOn(&connection) }
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
    var next: Batch?
    repeat {
      let count = next?.outcomes.count ?? 0
      let room = Gathering.share(of: batch.outcomes.count + count + inbox.count) - count
      let commands = inbox.take(room)
      if commands.isEmpty { continue }
      unsettled += commands
      let now = clock.now(ContinuousClock.now)
      if next == nil {
        next = Batch(
          commands, after: batch.state, hash: batch.hash, now: now,
          sealing: keys.sealing(behind: batch.sealing))
      } else {
        next?.append(commands, now: now)
      }
      next?.copyRows()
    } while !connection.waitForAnswer(orWake: wake)
    ahead = next
  }

  /// Decides and appends these, which are the first of `unsettled`, and answers them.
  private mutating func store(
    _ commands: [PendingCommand], _ connection: inout Connection
  ) throws {
    guard let clock else { preconditionFailure("a leader has read the database's time") }
    try store(
      Batch(
        commands, after: state, hash: hash, now: clock.now(ContinuousClock.now),
        sealing: keys.sealing(makeKey: settings.makeKey)), &connection)
  }

  private mutating func store(_ batch: Batch, _ connection: inout Connection) throws {
    let commands = batch.outcomes.map(\.pending)
    if !batch.rows.isEmpty {
      switch try append(batch, &connection) {
      case .stored:
        advance(batch)
      case .collided:
        return try readOn(&connection)
      case .commandKnown:
        return try answerKnown(&connection)
      case .keyKnown:
        return try keys.prepareAll(&connection, timeout: settings.statementTimeout)
      case .rejected(let error):
        return try reject(commands, error, &connection)
      }
    }
    unsettled.removeFirst(commands.count)
    answerStored()
    if batch.outcomes.allSatisfy(\.isAccepted) {
      unanswered = batch
    } else {
      try answer(batch, &connection)
    }
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

  /// Answers what is in the log already under the ids of `unsettled`; the rest stays.
  private mutating func answerKnown(_ connection: inout Connection) throws {
    ahead = nil
    guard !unsettled.isEmpty else { return }
    let known = try receipts(of: unsettled, &connection)
    unsettled.removeAll { pending in
      guard let receipt = known[pending.request.id] else { return false }
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

  private mutating func answerStored() {
    guard let batch = unanswered.take() else { return }
    for decided in batch.outcomes {
      guard case .accepted(let range) = decided.outcome else { continue }
      decided.pending.answer(.success(Receipt(events: Array(batch.rows[range]))))
    }
  }

  private mutating func answer(_ batch: Batch, _ connection: inout Connection) throws {
    var refused: [(pending: PendingCommand, failure: SubmitFailure)] = []
    for decided in batch.outcomes {
      switch decided.outcome {
      case .accepted(let range):
        decided.pending.answer(.success(Receipt(events: Array(batch.rows[range]))))
      case .failed(let failure): refused.append((decided.pending, failure))
      }
    }
    guard !refused.isEmpty else { return }
    try answer(refused: refused, &connection)
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
