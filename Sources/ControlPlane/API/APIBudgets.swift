// What the callers of the API share, so that nobody takes all of it.

struct APIBudgets: Sendable {
  let bodies = BodyBudget()
  let scans = ScanBudget()
  let seats = StreamSeats()
  /// A stream of events whose reader takes nothing for so long is ended.
  var streamStalledSeconds = 120
}
