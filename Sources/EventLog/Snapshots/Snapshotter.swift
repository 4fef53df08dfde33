// Writes a snapshot whenever the log has grown by an interval. The state is a persistent value, so it
// is encoded from a copy, on a thread of its own, while the log goes on; an append never waits for it.
//
// The leader writes, and a wharfd that still reads its way to the head. One that follows writes when
// none of its format came for another interval: the leader may be of another format.

import Hosting
import Logging
import Machine
import Postgres
import Time

package struct Snapshotter: Sendable {
  /// How often it looks whether it is to stop; new events wake it when one is due.
  private static let idleMilliseconds = 500

  private let board: HeadBoard
  private let store: SnapshotStore
  private let session: SnapshotSession
  private let logger: Logger

  package init(
    board: HeadBoard, store: SnapshotStore, database: PostgresConfiguration, logger: Logger
  ) throws {
    self.board = board
    self.store = store
    self.logger = logger
    var database = database
    database.applicationName = "wharfd-snapshots"
    session = try SnapshotSession(database, store)
  }

  /// Runs until cancelled.
  package func run() async {
    var backoff = Backoff.betweenTries
    var newest: Position?
    while !Task.isCancelled {
      do {
        if newest == nil { newest = try await session.newestPosition() }
        guard let last = newest, let head = await head(after: last) else { continue }
        // Someone else may have written one meanwhile.
        let now = try await session.newestPosition()
        newest = now
        if now >= store.limits.due(after: last) { continue }
        guard try await session.write(KeptState(state: head.state, hash: head.hash)) else {
          logger.info("no snapshot at \(head.state.position): a person was forgotten since")
          // The next try encodes the whole state again.
          try await board.clocks.sleep(for: .milliseconds(Self.idleMilliseconds))
          continue
        }
        logger.info("wrote a snapshot at position \(head.state.position)")
        newest = head.state.position
        backoff.reset()
      } catch {
        if Task.isCancelled { break }
        logger.warning("no snapshot was written: \(error)")
        newest = nil
        try? await board.clocks.sleep(for: backoff.next())
      }
    }
    await session.close()
  }

  /// The head, if a snapshot of it is due after one at `last`.
  private func head(after last: Position) async -> Head? {
    let due = store.limits.due(after: last)
    guard
      let head = await board.wait(for: due, upTo: .milliseconds(Self.idleMilliseconds))
    else { return nil }
    switch head.standing {
    case .starting, .leading: return head
    case .following:
      let overdue = store.limits.due(after: due)
      if head.state.position >= overdue { return head }
      _ = await board.wait(for: overdue, upTo: .milliseconds(Self.idleMilliseconds))
      return nil
    }
  }
}

/// The connection, on a thread that may block.
private actor SnapshotSession {
  private let lane: Lane
  private let configuration: PostgresConfiguration
  private let store: SnapshotStore
  private var connection: Connection?

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(_ configuration: PostgresConfiguration, _ store: SnapshotStore) throws {
    lane = try Lane(name: "snapshots")
    self.configuration = configuration
    self.store = store
  }

  func newestPosition() throws -> Position {
    try connect()
    return try store.newestPosition(&connection!)
  }

  func write(_ state: KeptState) throws -> Bool {
    try connect()
    return try store.write(state, on: &connection!)
  }

  func close() { connection = nil }

  private func connect() throws {
    if connection == nil || !connection!.isUsable() {
      connection = try Connection(configuration)
    }
  }
}
