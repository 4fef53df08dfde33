// Keeps the views at the head of the log. Runs in every wharfd and acts while that one leads.
//
//   resting ──leads──▶ opening ──▶ following ──┐ each batch of events: rows and checkpoint in one
//      ▲                  ▲            │  ▲────┘ transaction
//      └── leads no more ─┼────────────┤
//                         └────────────┘ fenced, or the connection was lost
//
// Opening reads the checkpoint and folds the log up to it. Where the tables are not this program's, or
// were made from another log, they are made anew; see Rebuild.swift.
//
// Which events a projector believes to be next never matters to safety: the checkpoint moves only from
// where its rows are, in the transaction that writes them.

import EventLog
import Hosting
import Logging
import Machine
import Postgres
import ServiceLifecycle
import Time

package final class Projector: Service {
  /// A batch is what was appended meanwhile, up to this many events.
  package static let eventsPerBatchLimit = LogReader.pageLimit
  /// How often a wharfd that does not lead looks whether it does, and one that leads whether it is
  /// to stop; new events wake it at once.
  private static let idleMilliseconds = 500

  private let board: HeadBoard
  private let session: ProjectorSession
  private let readers: ReaderBook?
  private let logger: Logger

  /// - Parameter readers: where it says how far it is while it projects.
  package init(
    board: HeadBoard, database: PostgresConfiguration, keys: PersonKeys, logger: Logger,
    store: ViewStore = ViewStore(), snapshots: SnapshotStore? = nil, readers: ReaderBook? = nil
  ) throws {
    self.board = board
    self.readers = readers
    self.logger = logger
    var database = database
    database.applicationName = "wharfd-views"
    session = try ProjectorSession(
      database, store: store, keys: keys, snapshots: snapshots, logger: logger)
  }

  /// Runs until it is shut down or cancelled.
  ///
  /// - Throws: `LogError` at an event that it cannot read: loudly, with all before it in the views.
  package func run() async throws {
    var backoff = Backoff.betweenTries
    var place: ReaderPlace?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = board.current
      guard case .leading = head.standing else {
        place = nil
        await board.pause(
          after: head.state.position, upTo: .milliseconds(Self.idleMilliseconds))
        continue
      }
      if place == nil { place = readers?.enter("views", at: await session.position) }
      do {
        let position = try await session.step(place, upTo: head.state.position)
        backoff.reset()
        await board.pause(after: position, upTo: .milliseconds(Self.idleMilliseconds))
      } catch let error as Fenced {
        logger.notice("the projector starts over: \(error)")
      } catch let error as Rebuild.UnderWay {
        logger.notice("the projector waits: \(error)")
        await Pause.rest(backoff.next(), by: board.clocks)
      } catch let error as PostgresError {
        if Task.isCancelled { break }
        logger.warning("the views fall behind: \(error)")
        await Pause.rest(backoff.next(), by: board.clocks)
      }
    }
    await session.close()
  }
}

/// The connection and the fold, on a thread that may block.
private actor ProjectorSession {
  private let lane: Lane
  private let configuration: PostgresConfiguration
  private let store: ViewStore
  private let keys: PersonKeys
  private let snapshots: SnapshotStore?
  private let logger: Logger
  private let cancel: CancelToken
  private var connection: Connection?
  private var projection: Projection
  /// The views are known to stand where `projection` does.
  private var isOpen = false
  private var damage = Damage.none

  /// none ──a statement does not fit the tables──▶ seen ──rebuild──▶ mended ──a batch fits──▶ none
  ///
  /// Someone changed tables or rows by hand. If they do not fit when they are new either, making them
  /// anew once more would not help.
  private enum Damage { case none, seen, mended }

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(
    _ configuration: PostgresConfiguration, store: ViewStore, keys: PersonKeys,
    snapshots: SnapshotStore?, logger: Logger
  ) throws {
    lane = try Lane(name: "projector")
    cancel = CancelToken(wake: try WakeDescriptor())
    self.configuration = configuration
    self.store = store
    self.keys = keys
    projection = Projection(keys: keys)
    self.snapshots = snapshots
    self.logger = logger
  }

  /// Projects everything that the log holds now, or says what went wrong; a statement under way ends
  /// when the task is cancelled.
  ///
  /// - Parameters:
  ///   - place: told after each batch how far it is.
  ///   - last: the head; what stands in the table after it is not known to be kept.
  /// - Returns: where the views are.
  nonisolated func step(_ place: ReaderPlace?, upTo last: Position) async throws -> Position {
    try await withTaskCancellationHandler {
      try await project(place, upTo: last)
    } onCancel: {
      cancel.cancel()
    }
  }

  var position: Position { projection.position }

  func close() { connection = nil }

  private func project(_ place: ReaderPlace?, upTo last: Position) throws -> Position {
    do {
      if connection == nil || !connection!.isUsable() {
        isOpen = false
        connection = try Connection(configuration, cancelToken: cancel)
      }
      if !isOpen { try open() }
      place?.reached(projection.position)
      isOpen = false
      while try batch(upTo: last) == Projector.eventsPerBatchLimit {
        place?.reached(projection.position)
      }
      isOpen = true
      place?.reached(projection.position)
      return projection.position
    } catch let error as PostgresError {
      if error.kind != .server { connection = nil }
      if error.isMisfit, damage == .none { damage = .seen }
      throw error
    }
  }

  /// - Returns: how many events there were.
  private func batch(upTo last: Position) throws -> Int {
    let events = try LogReader.events(
      after: projection.position, limit: Projector.eventsPerBatchLimit, on: &connection!)
    guard let end = events.last else { return 0 }
    if end.position > last { try LogReader.confirm(on: &connection!) }
    try keys.prepare(events, reasons: true, &connection!)
    var next = projection
    let (changes, failure) = next.advance(events)
    if changes.to != changes.from {
      try store.apply(changes, &connection!)
      projection = next
      damage = .none
    }
    if let failure { throw failure }
    return events.count
  }

  /// Finds out where the views are, and folds up to there.
  private func open() throws {
    _ = try Rebuild.dropRetired(&connection!)
    if damage == .seen {
      damage = .mended
      return try rebuild(because: "someone changed them by hand")
    }
    guard case .at(let checkpoint) = try store.standing(&connection!) else {
      return try rebuild(because: "they are not of this program's form")
    }
    if projection.position > checkpoint.position { projection = Projection(keys: keys) }
    try skipToSnapshot(before: checkpoint)
    while projection.position < checkpoint.position {
      let events = try LogReader.events(
        after: projection.position, limit: Projector.eventsPerBatchLimit, on: &connection!)
      guard !events.isEmpty else {
        return try rebuild(because: "they are ahead of the log")
      }
      try keys.prepare(events, &connection!)
      try projection.skip(events.prefix { $0.position <= checkpoint.position })
    }
    if projection.checkpoint != checkpoint {
      try rebuild(because: "they were made from another log")
    }
  }

  /// Where more than a page is to be folded, the nearest state kept saves most of it.
  private func skipToSnapshot(before checkpoint: ViewCheckpoint) throws {
    guard checkpoint.position > projection.position + LogReader.pageLimit,
      let kept = try snapshots?.newest(upTo: checkpoint.position, on: &connection!),
      kept.state.position > projection.position
    else { return }
    projection = Projection(kept, keys: keys)
  }

  private func rebuild(because reason: String) throws {
    logger.notice("making the views anew: \(reason)")
    let logger = logger
    projection = try Rebuild.run(&connection!, keys: keys) { step in
      switch step {
      case .filling, .writingRows, .catchingUp: break
      case .swapped(let checkpoint): logger.notice("the views are new, at \(checkpoint.position)")
      case .kept(let schema): logger.notice("someone still reads the old views, in \(schema)")
      }
    }
  }
}

extension PostgresError {
  /// The statement does not fit the tables or rows that it found: no such table or column, or a row
  /// that is there already.
  fileprivate var isMisfit: Bool {
    guard kind == .server, let sqlState else { return false }
    return sqlState.hasPrefix("42") || sqlState.hasPrefix("23")
  }
}
