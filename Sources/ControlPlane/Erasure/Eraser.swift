// Carries out that persons were forgotten, while this wharfd leads. Level-triggered: the state says who
// is forgotten and not yet erased, and every pass does all of it for all of them; killed at any point,
// the next leader does it again.
//
//  1. Their keys are destroyed, and the table is written anew: a changed row leaves its bytes in the file.
//     That waits for every transaction that may still see them.
//     From here on nobody who has not a key at hand already opens anything of theirs.
//  2. Every wharfd that lives has read the log past `personForgotten`, and so has thrown its copy away.
//  3. All snapshots are thrown away, file and all, and made anew where there were some. None that was made
//     before is written from here on: see SnapshotStore.
//  4. The views are made anew, and the old ones are gone. A projector that is behind cannot write into the
//     new ones: it is fenced.
//  5. `personErased` says so.

import EventLog
import HashTreeCollections
import Hosting
import Logging
import Machine
import Postgres
import ServiceLifecycle
import Time

package final class Eraser: Service {
  package enum Step: Equatable, Sendable, CaseIterable {
    case keysDestroyed, vaultRewritten, othersKnow, snapshotsDiscarded, snapshotsMade, viewsMade
  }

  /// How often it looks whether it leads, or is to stop; new events wake it at once.
  private static let idleMilliseconds = 500
  private static let personsNotedAtOnce = 512
  /// Between two looks at what others hold up.
  private static let pauseMilliseconds = 50

  private let member: LogMember
  private let session: ErasureSession
  private let makeCommandID: @Sendable () -> CommandID
  private let logger: Logger
  private let cancel: CancelToken
  /// Tests stop it after any step.
  private let afterStep: @Sendable (Step) throws -> Void

  package init(
    member: LogMember, snapshots: SnapshotStore, database: PostgresConfiguration,
    makeCommandID: @escaping @Sendable () -> CommandID, logger: Logger,
    afterStep: @escaping @Sendable (Step) throws -> Void = { _ in }
  ) throws {
    self.member = member
    self.makeCommandID = makeCommandID
    self.logger = logger
    self.afterStep = afterStep
    cancel = CancelToken(wake: try WakeDescriptor())
    var database = database
    database.applicationName = "wharfd-erasure"
    session = try ErasureSession(database, snapshots, member.keys, cancel, logger)
  }

  /// Runs until it is shut down or cancelled.
  package func run() async throws {
    var backoff = Backoff.betweenTries
    var checked: Position?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = member.board.current
      guard case .leading(let epoch) = head.standing,
        checked != epoch || !head.state.unerased.isEmpty
      else {
        await member.board.pause(
          after: head.state.position, upTo: .milliseconds(Self.idleMilliseconds))
        continue
      }
      do {
        try await withTaskCancellationHandler {
          try await erase(head.state)
        } onCancel: {
          cancel.cancel()
        }
        checked = epoch
        backoff.reset()
      } catch is NoLongerLeads {
        continue
      } catch {
        if Task.isCancelled { break }
        logger.warning("those forgotten are not erased yet: \(error)")
        await Pause.rest(backoff.next(), by: member.clocks)
      }
    }
    await session.close()
  }

  private struct NoLongerLeads: Error {}

  private func requireLead() throws {
    guard case .leading = member.board.current.standing, !Task.isShuttingDownGracefully,
      !Task.isCancelled
    else { throw NoLongerLeads() }
  }

  private func erase(_ state: HostingState) async throws {
    // The keys of those erased long ago go too, should an old copy of the vault have brought them back.
    let forgotten = state.forgotten
    guard !forgotten.isEmpty else { return }
    let destroyed = try await session.destroyKeys(of: forgotten)
    let persons = state.unerased.sorted()
    guard let last = forgotten.filter({ persons.contains($0.person) }).map(\.position).max() else {
      if destroyed > 0 {
        logger.notice("\(destroyed) keys of forgotten persons were there again, and are destroyed")
      }
      return try await carryOut(.rewriteVault)
    }
    try afterStep(.keysDestroyed)
    try await carryOut(.rewriteVault)
    try afterStep(.vaultRewritten)
    try await carryOut(.tellOthers(last))
    try afterStep(.othersKnow)
    try await carryOut(.discardSnapshots)
    try afterStep(.snapshotsDiscarded)
    let made = try await session.makeSnapshots(knowing: member.board.current.state.position)
    try afterStep(.snapshotsMade)
    try await carryOut(.makeViews)
    try await carryOut(.dropRetired)
    try afterStep(.viewsMade)
    // One command may lead to so many events only.
    for start in stride(from: 0, to: persons.count, by: Self.personsNotedAtOnce) {
      let some = Array(persons[start..<min(start + Self.personsNotedAtOnce, persons.count)])
      // Nothing comes of it where another wharfd led meanwhile, and noted it.
      _ = try await member.submitOwn(
        CommandRequest(
          id: makeCommandID(), command: NoteErasure(persons: some, snapshots: made),
          principal: .wharfd))
    }
    let names = persons.map(\.description).joined(separator: ", ")
    logger.notice("erased \(names): no key is left, and nothing that was made with one")
  }

  /// Tries until nothing holds it up any more; says once what does.
  private func carryOut(_ part: ErasurePart) async throws {
    var told: String?
    while let obstacle = try await session.obstacle(to: part) {
      if told != obstacle { logger.notice("an erasure waits for \(obstacle)") }
      told = obstacle
      try requireLead()
      try await member.clocks.sleep(for: .milliseconds(Self.pauseMilliseconds))
    }
    try requireLead()
  }
}

/// What others may hold up.
private enum ErasurePart {
  case rewriteVault
  case tellOthers(Position)
  case discardSnapshots
  case makeViews
  case dropRetired
}

/// The connections, on a thread that may block.
private actor ErasureSession {
  /// How long it waits for a lock, and others behind it.
  private static let lockWaitMilliseconds = 500

  private let lane: Lane
  private let configuration: PostgresConfiguration
  private let snapshots: SnapshotStore
  private let keys: PersonKeys
  private let cancel: CancelToken
  private let logger: Logger
  private var connection: Connection?
  /// A transaction after the one that destroyed the keys.
  private var destroyedBefore: String?
  /// Where there were snapshots.
  private var discarded: [Position] = []

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(
    _ configuration: PostgresConfiguration, _ snapshots: SnapshotStore, _ keys: PersonKeys,
    _ cancel: CancelToken, _ logger: Logger
  ) throws {
    lane = try Lane(name: "erasure")
    self.configuration = configuration
    self.snapshots = snapshots
    self.keys = keys
    self.cancel = cancel
    self.logger = logger
  }

  func close() { connection = nil }

  private func connect() throws {
    if connection == nil || !connection!.isUsable() {
      connection = try Connection(configuration, cancelToken: cancel)
      try connection!.execute(LogStatements.durable)
      try connection!.script("SET lock_timeout = '\(Self.lockWaitMilliseconds)ms'")
    }
  }

  /// - Returns: how many were still there.
  func destroyKeys(of persons: [(person: ID<Person>, position: Position)]) throws -> Int {
    guard !persons.isEmpty else { return 0 }
    try connect()
    let count = try connection!.execute(
      VaultStatements.destroy(persons.map { (id: $0.person, forgotten: $0.position) }))
    destroyedBefore = try connection!.query(VaultStatements.transactionNumber)[0]
      .decode(String.self, at: 0)
    return count
  }

  /// - Returns: what held this part up, in words; nil when it is done.
  func obstacle(to part: ErasurePart) throws -> String? {
    try connect()
    do {
      switch part {
      case .rewriteVault:
        if let reader = try whoSeesKeys() { return reader }
        try connection!.script(VaultStatements.rewrite)
      case .tellOthers(let position): return try behind(position)
      case .discardSnapshots: discarded = try snapshots.discardAll(on: &connection!)
      case .makeViews: _ = try Rebuild.run(&connection!, keys: keys) { _ in }
      case .dropRetired:
        return try Rebuild.dropRetired(&connection!) ? nil : "a reader of the old views"
      }
      return nil
    } catch is Rebuild.UnderWay {
      return "another rebuild of the views"
    } catch let error as PostgresError where error.sqlState == "55P03" {
      return "a lock on \(part.table)"
    }
  }

  /// Old rows are kept as long as a transaction may see them.
  private func whoSeesKeys() throws -> String? {
    guard let destroyedBefore else { return nil }
    let rows = try connection!.query(VaultStatements.whoSeesBefore(destroyedBefore))
    return try rows.first?.decode(String.self, at: 0)
  }

  private func behind(_ position: Position) throws -> String? {
    let rows = try connection!.query(
      MemberStatements.behind(position, withinSeconds: Finalization.silenceSeconds))
    let behind = try rows.map { try $0.decode(String.self, at: 0) }
    return behind.isEmpty ? nil : behind.joined(separator: ", ") + " to read on to \(position)"
  }

  /// Where there were some.
  ///
  /// - Returns: how many.
  func makeSnapshots(knowing head: Position) throws -> Int {
    try connect()
    var reader = try Connection(configuration, cancelToken: cancel)
    try snapshots.remake(
      at: discarded, knowing: head, keys, reader: &reader, writer: &connection!)
    return discarded.count
  }
}

extension ErasurePart {
  /// What someone reads who holds it up.
  fileprivate var table: String {
    switch self {
    case .rewriteVault: "vault.person_keys"
    case .discardSnapshots: "log.snapshots"
    case .tellOthers: "log.members"
    case .makeViews, .dropRetired: "the views"
    }
  }
}
