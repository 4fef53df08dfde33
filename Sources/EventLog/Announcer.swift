// Tells followers that the log has grown. A hint only, and apart from the append: inside it, NOTIFY
// would take a cluster-wide lock at commit. Coalesced, so that a busy log is announced at most fifty
// times a second; followers poll beneath.

import Hosting
import Logging
import Machine
import Postgres
import Time

package struct Announcer: Sendable {
  static let coalesceMilliseconds = 20

  private let board: HeadBoard
  private let pool: Pool
  private let readers: ReaderBook?
  private let logger: Logger

  package init(board: HeadBoard, pool: Pool, readers: ReaderBook? = nil, logger: Logger) {
    self.board = board
    self.pool = pool
    self.readers = readers
    self.logger = logger
  }

  /// Runs until cancelled. What could not be announced is announced later.
  package func run() async {
    var (seen, announced) = (Position.empty, Position.empty)
    var place: ReaderPlace?
    var backoff = Backoff.betweenTries
    while !Task.isCancelled {
      _ = await board.wait(for: seen.next, upTo: .seconds(1))
      let head = board.current
      seen = head.state.position
      var rest = Duration.milliseconds(Self.coalesceMilliseconds)
      if case .leading(let epoch) = head.standing {
        announced = max(announced, Position(epoch.value - 1))
        if place == nil { place = readers?.enter("announcer", at: announced) }
        if seen > announced {
          do {
            _ = try await pool.execute(
              "SELECT pg_notify(\(LogStatements.channel), \(seen.description))")
            announced = seen
            place?.reached(announced)
            backoff.reset()
          } catch {
            logger.debug("followers were not told of position \(seen): \(error)")
            seen = announced
            rest = backoff.next()
          }
        }
      } else {
        place = nil
      }
      try? await board.clocks.sleep(for: rest)
    }
  }
}
