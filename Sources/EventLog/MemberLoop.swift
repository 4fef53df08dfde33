// The one thread that reads and writes the log for a wharfd: it follows, or leads, over one
// connection, and blocks only in waits that have a limit.
//
// Invariants:
//  1. `state` and `hash` are those of a prefix of the log; they move only by events known to be kept: their
//     commit was answered, or they were found in the table and a later commit was answered. Committed is not
//     enough where the server is to wait for standbys, and stopped waiting.
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

import Hosting
import Logging
import Machine
import Postgres
import Time

struct MemberLoop {
  private static let readLimit = 1_000

  let settings: LogSettings
  var clocks: Clocks { settings.clocks }
  let secret: ClusterSecret
  let keys: PersonKeys
  private let fingerprint: Digest
  let board: HeadBoard
  let inbox: Inbox
  let wake: WakeDescriptor
  let stopped: @Sendable () -> Bool
  /// What a caller saw of the log, and was not here.
  let shown: @Sendable () -> ShownHead?
  /// Told whenever the database answered as it should, with the moment at which it was asked: an answer
  /// may lie here unread for long, and says nothing of the time since.
  let touched: @Sendable (Clocks.Instant) -> Void
  /// Whether that is too long ago to let anybody wait.
  let outOfTouch: @Sendable () -> OutOfTouch?
  let logger: Logger

  var state = HostingState()
  var hash = Chain.origin
  /// What was kept by an earlier run is in the log; from here on `recognise` looks after it.
  private var hasFoundKept = false
  var standing = Standing.starting
  private var candidacy = Candidacy()
  var clock: LogClock?
  private var nextSighting: Clocks.Instant
  private var nextAppearance: Clocks.Instant
  /// Which database the connection leads to.
  private var database: DatabaseIdentity?
  /// Backend pids of the connections that this loop has had.
  private var sessionsOfOurs: Set<Int32> = []
  /// The commands that came, and what becomes of them.
  var leading: Leading

  init(
    settings: LogSettings, secret: ClusterSecret, keys: PersonKeys, board: HeadBoard,
    inbox: Inbox, wake: WakeDescriptor, stopped: @escaping @Sendable () -> Bool,
    shown: @escaping @Sendable () -> ShownHead? = { nil },
    touched: @escaping @Sendable (Clocks.Instant) -> Void,
    outOfTouch: @escaping @Sendable () -> OutOfTouch?, logger: Logger
  ) {
    self.settings = settings
    let now = settings.clocks.now
    leading = Leading(nextBeat: now)
    (nextSighting, nextAppearance) = (now, now)
    self.secret = secret
    self.keys = keys
    fingerprint = secret.fingerprint
    self.board = board
    self.inbox = inbox
    self.wake = wake
    self.stopped = stopped
    self.shown = shown
    self.touched = touched
    self.outOfTouch = outOfTouch
    self.logger = logger
  }

  /// Runs until stopped, or until the log cannot be read on.
  mutating func run() throws {
    var backoff = Backoff.betweenTries
    defer {
      inbox.close(.unavailable("wharfd is stopping"))
      give(leading.ended(.outcomeUnknown("wharfd is stopping")))
    }
    while !stopped() {
      do {
        var connection = try Connection(settings.database, timeout: settings.connectTimeout)
        sessionsOfOurs.insert(connection.backendProcessID)
        try prepare(&connection)
        database = try LogStatements.readIdentity(
          &connection, timeout: settings.statementTimeout
        ).identity
        try start(&connection)
        try recognise(&connection)
        try catchUp(&connection)
        try requireSeen(&connection)
        backoff.reset()
        try follow(&connection)
        return
      } catch let error as ShortOfSeen {
        logger.critical("neither leading nor answering: \(error)")
        board.publish(obstacle: error.description)
        stand(.starting)
        forget()
        rest(backoff.next())
      } catch let error as PostgresError {
        logger.warning("lost the database: \(error)")
        // Nobody was told of it yet, and what is here may lack what was seen.
        if !hasFoundKept { forget() }
        // What is published stays: a leader that comes back leads on, unless another does by then.
        if case .leading = standing { standing = .following(address: nil) }
        nextSighting = clocks.now
        rest(backoff.next())
        expire(because: error.description)
      }
    }
    // What was published stood while it might have come back.
    standing = .following(address: nil)
    publish()
  }

  /// The next connection may lead to the right past, where this one may not be.
  private mutating func forget() {
    (state, hash) = (HostingState(), Chain.origin)
    board.forget()
  }

  /// Waits between tries to connect, in short steps so that a stop is not kept waiting.
  private func rest(_ duration: Duration) {
    let end = clocks.now + duration
    while !stopped(), clocks.now < end { clocks.block(for: .milliseconds(20)) }
  }

  private mutating func expire(because reason: String) {
    let now = clocks.now
    if let outOfTouch = outOfTouch() { inbox.answerAll(.outOfTouch(outOfTouch)) }
    inbox.expire(now, .unavailable("the database cannot be reached: \(reason)"))
    give(leading.lost(at: now, because: reason))
  }

  /// The log is durable whatever the database's own setting says; notifications are only hints.
  private func prepare(_ connection: inout Connection) throws {
    try connection.execute(LogStatements.durable, timeout: settings.statementTimeout)
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

  /// Until what is here is all that this wharfd saw before it was started anew, and all that callers saw, it
  /// says nothing of it.
  private mutating func requireSeen(_ connection: inout Connection) throws {
    let found = witness
    let (kept, shown) = (hasFoundKept ? nil : settings.memory?.kept, shown())
    for (seen, caller) in [(kept, nil), (shown?.head, shown?.caller)] {
      guard let seen else { continue }
      if seen.isBeyond(found) {
        // That it was moved says more, and is for a person.
        try requireHome(LogStatements.readIdentity(&connection).identity)
        settings.memory?.keep(seen)
        hasFoundKept = false
        throw ShortOfSeen(seen: seen, found: found, caller: caller)
      }
      guard seen.era == found.era else { continue }
      let hash = try LogStatements.readHash(
        at: seen.position, &connection, timeout: settings.statementTimeout)
      guard hash == seen.hash else {
        settings.memory?.keep(seen)
        throw LogError.otherPast(position: seen.position, seen: seen.hash, found: hash)
      }
    }
    hasFoundKept = true
    board.publish(obstacle: nil)
    keepSeen()
  }

  private func requireHome(_ database: DatabaseIdentity) throws(LogError) {
    guard let era = state.log.era, era.database != database else { return }
    throw .otherEra(recorded: era.database.description, found: database.description)
  }

  /// What a caller saw and is not here. Most of the time it is by the time that it is looked for.
  var shortOfShown: ShortOfSeen? {
    guard let shown = shown() else { return nil }
    let found = witness
    return shown.head.isBeyond(found)
      ? ShortOfSeen(seen: shown.head, found: found, caller: shown.caller) : nil
  }

  /// - Throws: after the log was read to its end, where it is not there.
  mutating func requireShown() throws(ShortOfSeen) {
    guard let short = shortOfShown else { return }
    settings.memory?.keep(short.seen)
    hasFoundKept = false
    throw short
  }

  private var witness: HeadWitness {
    HeadWitness(era: state.log.era?.position ?? .empty, position: state.position, hash: hash)
  }

  private func keepSeen() {
    guard hasFoundKept, state.position > .empty else { return }
    settings.memory?.keep(witness)
  }

  /// Goes on from a snapshot, where nothing was read yet.
  private mutating func start(_ connection: inout Connection) throws {
    if state.position == .empty, let kept = try settings.snapshots?.newest(on: &connection) {
      state = kept.state
      hash = kept.hash
      try requireReadable(state)
      keys.forgetThose(in: state)
      logger.info("starting from the snapshot at position \(state.position)")
      publish()
    }
    try appear(&connection)
  }

  private func requireReadable(_ state: HostingState) throws(LogError) {
    guard state.log.formatLevel > settings.formatLevel else { return }
    throw .formatNewer(
      position: state.position, log: state.log.formatLevel, known: settings.formatLevel)
  }

  /// With another secret every seal and every engine key would be another one.
  private func requireOurSecret() throws(LogError) {
    guard let recorded = state.log.secretFingerprint, recorded != fingerprint else { return }
    throw .otherSecret(recorded: recorded, given: fingerprint)
  }

  /// Says that this wharfd is here, and what it reads; and learns the database's time.
  mutating func appear(_ connection: inout Connection) throws {
    let rows = try connection.query(
      MemberStatements.appear(
        instance: settings.instance, formatLevel: settings.formatLevel, address: settings.address,
        position: state.position),
      timeout: settings.statementTimeout)
    let time = try rows[0].decode(PostgresTimestamp.self, at: 0)
    set(
      LogClock(
        databaseTime: Timestamp(microseconds: time.microsecondsSinceUnixEpoch), readAt: clocks.now,
        recordedAt: state.recordedAt, after: clock))
    nextAppearance = clocks.now + .seconds(Candidacy.beatSeconds)
  }

  /// What is decided from here on is decided with this time, and what is planned is planned with it.
  private mutating func set(_ clock: LogClock) {
    let ahead = clock.aheadSeconds(at: clocks.now)
    if let ahead, self.clock?.aheadSeconds(at: clocks.now) == nil {
      logger.warning(
        "the log's time is \(Int(ahead)) s ahead of the database's clock: it goes on at half the speed until both meet"
      )
    }
    self.clock = clock
    board.publish(clock)
  }

  /// - Parameter events: those that led from what was published before to here.
  func publish(_ events: [StoredEvent] = []) {
    keepSeen()
    board.publish(Head(state: state, hash: hash, standing: standing, clock: clock), events)
  }

  /// Whether readers still take this one for the leader, which it is not before it has taken the lead anew.
  private var isComingBack: Bool {
    if case .leading = standing { return false }
    if case .leading = board.current.standing { return true }
    return false
  }

  /// Reads on from the last known position to the head.
  mutating func catchUp(_ connection: inout Connection) throws {
    while true {
      let asked = clocks.now
      let rows = try connection.query(
        LogStatements.read(after: state.position, limit: Self.readLimit),
        timeout: settings.statementTimeout)
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, &connection)
      var next = (state: state, hash: hash)
      for event in events { try fold(event, into: &next) }
      let isAtHead = events.count < Self.readLimit
      if !events.isEmpty {
        // Not before is it acknowledged, shown, projected or sent to anybody.
        try connection.execute(LogStatements.confirm, timeout: settings.statementTimeout)
        (state, hash) = next
        for event in events { note(event) }
      }
      // Not before: the log may hold that it took another secret later on.
      if isAtHead { try requireOurSecret() }
      if !events.isEmpty { publish(events) }
      if isAtHead {
        // A leader is not in touch by having read that another leads.
        if case .leading(let epoch) = standing, state.log.leader?.epoch != epoch { return }
        // To read is not enough for who gives out leases: it must be able to append.
        if !isComingBack { touched(asked) }
        return
      }
    }
  }

  private func fold(
    _ event: StoredEvent, into next: inout (state: HostingState, hash: Digest)
  ) throws(LogError) {
    guard event.position == next.state.position.next else {
      throw .gap(expected: next.state.position.next, found: event.position)
    }
    guard Chain.hash(of: event, after: next.hash) == event.hash else {
      throw .broken(position: event.position, reason: "the row is not what was appended")
    }
    try next.state.fold(event, keys)
    next.hash = event.hash
    try requireReadable(next.state)
  }

  /// A person who is forgotten is so here before the state says it, and the leader is soon told that it is.
  private mutating func note(_ event: StoredEvent) {
    guard event.stream.kind == .person, event.type == PersonForgotten.type else { return }
    keys.note(event)
    nextAppearance = clocks.now
    leading.nextBeat = clocks.now
  }
}

// MARK: Following

extension MemberLoop {
  private mutating func follow(_ connection: inout Connection) throws {
    defer { confirmStored() }
    while !stopped() {
      if case .leading = standing {
        try lead(&connection)
        continue
      }
      try catchUp(&connection)
      try requireShown()
      if clocks.now >= nextAppearance { try appear(&connection) }
      if clocks.now >= nextSighting, try shouldLead(&connection) {
        try takeLead(&connection)
        continue
      }
      try answerKnown(&connection)
      stand(.following(address: leaderElsewhere))
      _ = try connection.waitForNotifications(timeout: settings.pollInterval, wake: wake)
    }
    if case .leading(let epoch) = standing {
      // First: who is told next leads at once, and this one must give nothing out by then.
      stand(.following(address: nil))
      try connection.execute(
        LogStatements.stepDown(epoch: epoch), timeout: settings.statementTimeout)
    }
    try connection.execute(
      MemberStatements.leave(instance: settings.instance, address: settings.address),
      timeout: settings.statementTimeout)
  }

  /// Nobody's, where the log names this very wharfd: as it was before it was started anew. And nobody's in a
  /// copy of a log: whoever led the original leads it still, and what is meant for the copy is not to be
  /// sent on to it.
  var leaderElsewhere: String? {
    guard let leader = state.log.leader, leader.address != settings.address else { return nil }
    let isOfHere = state.log.era.map { $0.database == database && $0.position < leader.epoch }
    return isOfHere ?? true ? leader.address : nil
  }

  mutating func stand(_ new: Standing) {
    guard standing != new else { return }
    standing = new
    switch new {
    case .leading(let epoch):
      logger.info("leading", metadata: ["epoch": "\(epoch)"])
      inbox.open()
    case .following(let address):
      logger.info("following", metadata: ["leader": "\(address ?? "unknown")"])
      inbox.close(.notLeading(address: address))
      give(leading.ended(.notLeading(address: address)))
    case .starting:
      inbox.close(.unavailable("the database lacks what was seen of the log"))
      give(leading.ended(.outcomeUnknown("the database lacks what was seen of the log")))
    }
    publish()
  }

  private mutating func shouldLead(_ connection: inout Connection) throws -> Bool {
    let now = clocks.now
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
    try requireHome(database)
    // The next to append knows every key: only another append could bring one, and this one would fail.
    try keys.prepareAll(&connection, timeout: settings.statementTimeout)
    keys.giveUpMissing(in: state)
    let clock = LogClock(
      databaseTime: databaseTime, readAt: clocks.now, recordedAt: state.recordedAt, after: clock)
    let request = CommandRequest(
      id: settings.makeCommandID(),
      command: TakeLeadership(
        instance: settings.instance, address: settings.address, database: database,
        formatLevel: settings.formatLevel, secretFingerprint: fingerprint,
        nodeLostSeconds: settings.nodeLostSeconds),
      principal: .wharfd)
    let pending = PendingCommand(request: request, seal: request.seal(secret))
    let batch = Batch(
      [pending], after: state, hash: hash, now: clock.now(clocks.now), sealing: .nothing)
    let asked = clocks.now
    guard case .stored = try append(batch, &connection) else { return }
    advance(batch)
    set(clock)
    candidacy = Candidacy()
    let row = LogStatements.takeRow(
      instance: settings.instance, epoch: state.position, address: settings.address)
    try connection.execute(row, timeout: settings.statementTimeout)
    leading.nextBeat = clocks.now + .seconds(Candidacy.beatSeconds)
    touched(asked)
    stand(.leading(epoch: state.position))
    try answerKnown(&connection)
  }

  mutating func advance(_ batch: Batch) {
    keys.add(batch.sealing.made)
    for row in batch.rows { note(row) }
    state = batch.state
    hash = batch.hash
    publish(batch.rows)
  }
}
