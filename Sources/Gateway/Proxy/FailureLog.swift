// A line for each reply that tells of a failure, with the id that the reply names, so that who has the
// reply finds what happened. No words of clients or engines stand in it. So many lines a second at
// most; how many were left out is told with the next.

import Hosting
import Logging
import Synchronization

final class FailureLog: Sendable {
  private struct State {
    var second: Int64 = -1
    var lines = 0
    var leftOut = 0
  }

  private let state = Mutex(State())
  private let logger: Logger
  private let linesPerSecond: Int

  init(logger: Logger, linesPerSecond: Int) {
    self.logger = logger
    self.linesPerSecond = linesPerSecond
  }

  /// A try at a replica that came to nothing, whether or not another one answers.
  func tried(_ attempt: AttemptID, _ what: String, requestID: String, now: Duration) {
    write(
      "a replica did not answer a request",
      ["request": "\(requestID)", "attempt": "\(attempt)", "why": "\(what)"], now)
  }

  /// An answer whose `usage` says what cannot be: its tokens were estimated.
  func disbelieved(_ attempt: AttemptID, requestID: String, now: Duration) {
    write(
      "an engine said that an answer took more tokens than it can, or no number of them",
      ["request": "\(requestID)", "attempt": "\(attempt)"], now)
  }

  /// A reply that says that the gateway, or what is behind it, failed.
  func replied(
    _ denial: Denial, team: Stream?, requestID: String, attempt: AttemptID?, now: Duration
  ) {
    guard denial.status >= 500 else { return }
    var fields: Logger.Metadata = [
      "request": "\(requestID)", "status": "\(denial.status)", "code": "\(denial.origin)",
    ]
    if let team { fields["team"] = "\(team)" }
    if let attempt { fields["attempt"] = "\(attempt)" }
    write("a request was answered with a failure", fields, now)
  }

  private func write(_ message: Logger.Message, _ fields: Logger.Metadata, _ now: Duration) {
    let second = now.components.seconds
    let leftOut: Int? = state.withLock { state in
      if state.second != second {
        state.second = second
        state.lines = 0
      }
      guard state.lines < linesPerSecond else {
        state.leftOut += 1
        return nil
      }
      state.lines += 1
      defer { state.leftOut = 0 }
      return state.leftOut
    }
    guard let leftOut else { return }
    var fields = fields
    if leftOut > 0 { fields["linesLeftOut"] = "\(leftOut)" }
    logger.warning(message, metadata: fields)
  }
}
