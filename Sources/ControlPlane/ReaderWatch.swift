// Looks every second where the log ends, and has the readers of this wharfd judged by it. The log itself
// is asked, over a connection of its own: the state that this wharfd serves is one of the readers.

import EventLog
import Hosting
import Postgres
import ServiceLifecycle
import Time
import Wire

package struct ReaderWatch: Service {
  private static let lookInterval = Duration.seconds(1)
  /// A database that does not answer leaves the last head that is known.
  private static let answerMilliseconds: Int64 = 2_000

  let board: HeadBoard
  private let pool: Pool
  private let reader: LogReader
  let readers: ReaderBook
  let interval: Duration
  let now: @Sendable () -> Timestamp

  package init(
    board: HeadBoard, database: PostgresConfiguration, readers: ReaderBook,
    interval: Duration = lookInterval, now: @escaping @Sendable () -> Timestamp
  ) throws {
    self.board = board
    self.readers = readers
    self.interval = interval
    self.now = now
    var database = database
    database.applicationName = "wharfd-watch"
    var options = PoolOptions()
    options.lanes = 1
    options.name = "wharfd-watch"
    pool = try Pool(database, options: options)
    // Asks also when the member is out of touch.
    reader = LogReader(pool: pool, keys: .none)
  }

  package func run() async {
    let state = readers.enter("state", at: board.current.state.position)
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let reader = reader
      let head = try? await within(milliseconds: Self.answerMilliseconds, by: board.clocks) {
        try await reader.head()
      }
      let known = board.current.state.position
      state.reached(known)
      readers.look(head: max(head ?? .empty, known), at: board.clocks.now, time: now())
      await Pause.rest(interval, by: board.clocks)
    }
    await pool.close()
  }
}
