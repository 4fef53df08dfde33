// When a program that ended is started again. A value: the time it ran goes in, the pause comes
// out.

struct Restarts: Hashable, Sendable {
  static let firstPauseMilliseconds = 200
  static let longestPauseMilliseconds = 15_000
  /// A program that ran this long had no trouble starting: the count begins anew.
  static let soundAfterSeconds = 30

  private(set) var inARow = 0

  mutating func pause(afterRunning ran: Duration) -> Duration {
    if ran >= .seconds(Self.soundAfterSeconds) { inARow = 0 }
    let doublings = min(inARow, 16)
    inARow += 1
    return .milliseconds(
      min(Self.longestPauseMilliseconds, Self.firstPauseMilliseconds << doublings))
  }
}
