// Callers that wait for news, each until it is told, its time is over, or its task is cancelled. What each of
// them waits for is for the one who tells them to know: the room holds no more than their tickets, so nothing
// of a caller runs where the news come from.

import Synchronization
import Time

package final class WaitingRoom<News: Sendable>: Sendable {
  package typealias Ticket = Int

  private struct Seats {
    var lastTicket: Ticket = 0
    var taken: [Ticket: CheckedContinuation<News?, Never>] = [:]
  }

  /// At most this many callers wait here at once.
  private let limit: Int
  private let clocks: Clocks
  private let seats = Mutex(Seats())

  package init(limit: Int, clocks: Clocks) {
    self.limit = limit
    self.clocks = clocks
  }

  /// The news; none if they take longer than the timeout, if too many wait already, or once the task is
  /// cancelled.
  ///
  /// - Parameters:
  ///   - enter: notes what the ticket waits for; gives the news where they are there already.
  ///   - leave: forgets the ticket, which waits no more.
  package func wait(
    upTo timeout: Duration, enter: (Ticket) -> News?, leave: (Ticket) -> Void
  ) async -> News? {
    let ticket = seats.withLock { seats in
      seats.lastTicket += 1
      return seats.lastTicket
    }
    let timer = Mutex<Task<Void, any Error>?>(nil)
    defer {
      timer.withLock { $0?.cancel() }
      leave(ticket)
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<News?, Never>) in
        let isSeated = seats.withLock { seats in
          guard seats.taken.count < limit, !Task.isCancelled else { return false }
          seats.taken[ticket] = continuation
          return true
        }
        guard isSeated else { return continuation.resume(returning: nil) }
        if let news = enter(ticket) { return tell([ticket], news) }
        // Not before it is seated: a timer that finds nobody does not come again.
        timer.withLock {
          $0 = Task { [weak self, clocks] in
            try await clocks.sleep(for: timeout)
            self?.tell([ticket], nil)
          }
        }
      }
    } onCancel: {
      tell([ticket], nil)
    }
  }

  /// Ends the waits of these, as far as they still wait.
  package func tell(_ tickets: some Sequence<Ticket>, _ news: News?) {
    let told = seats.withLock { seats in
      tickets.compactMap { seats.taken.removeValue(forKey: $0) }
    }
    for continuation in told { continuation.resume(returning: news) }
  }
}
