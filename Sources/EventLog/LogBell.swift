// Rings when the log was announced to have grown: one LISTEN for all readers of a process. A hint
// only; whoever waits looks by itself after a while.

import Hosting
import Postgres
import Synchronization
import Time

package final class LogBell: Sendable {
  /// At most this many readers wait for it at once.
  private static let waiterLimit = 65_536

  private struct State {
    var count: UInt64 = 0
    var waiting: Set<WaitingRoom<UInt64>.Ticket> = []
  }

  private let state = Mutex(State())
  private let room: WaitingRoom<UInt64>

  let clocks: Clocks

  package init(clocks: Clocks = .system) {
    self.clocks = clocks
    room = WaitingRoom(limit: Self.waiterLimit, clocks: clocks)
  }

  /// How often it rang.
  package var count: UInt64 { state.withLock { $0.count } }

  package func ring() {
    let (count, woken) = state.withLock { state in
      state.count += 1
      defer { state.waiting = [] }
      return (state.count, state.waiting)
    }
    room.tell(woken, count)
  }

  /// Listens until cancelled; a lost connection is made anew, and rings too, since announcements may
  /// have been missed.
  package func run(
    _ database: PostgresConfiguration, options: ListenOptions = ListenOptions()
  ) async throws {
    for await _ in try listen(database, channel: LogStatements.channel, options: options) {
      ring()
    }
  }

  /// Until it rang more often than `count`, the time is over, or the task is cancelled.
  package func wait(past count: UInt64, upTo limit: Duration) async {
    _ = await room.wait(
      upTo: limit,
      enter: { ticket in
        state.withLock { state in
          if state.count > count { return state.count }
          state.waiting.insert(ticket)
          return nil
        }
      },
      leave: { ticket in state.withLock { _ = $0.waiting.remove(ticket) } })
  }
}
