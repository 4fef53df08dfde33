// Tells followers that the log has grown. A hint only, and apart from the append: inside it, NOTIFY
// would take a cluster-wide lock at commit. Coalesced, so that a busy log is announced at most fifty
// times a second; followers poll beneath.

import Hosting
import Logging
import Postgres

package struct Announcer: Sendable {
  static let coalesceMilliseconds = 20

  private let board: HeadBoard
  private let pool: Pool
  private let logger: Logger

  package init(board: HeadBoard, pool: Pool, logger: Logger) {
    self.board = board
    self.pool = pool
    self.logger = logger
  }

  /// Runs until cancelled.
  package func run() async {
    var announced = Position.empty
    while !Task.isCancelled {
      _ = await board.wait(for: announced.next, upTo: .seconds(1))
      let head = board.current
      guard case .leading = head.standing, head.state.position > announced else {
        try? await Task.sleep(for: .milliseconds(Self.coalesceMilliseconds))
        continue
      }
      announced = head.state.position
      do {
        _ = try await pool.execute(
          "SELECT pg_notify(\(LogStatements.channel), \(announced.description))")
      } catch {
        logger.debug("followers were not told of position \(announced): \(error)")
      }
      try? await Task.sleep(for: .milliseconds(Self.coalesceMilliseconds))
    }
  }
}
