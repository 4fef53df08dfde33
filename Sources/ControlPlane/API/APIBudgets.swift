// What the callers of the API share, so that nobody takes all of it.

struct APIBudgets: Sendable {
  let bodies = BodyBudget()
  let scans = ScanBudget()
  let seats = StreamSeats()
  let reads: ReadLanes
  /// A stream of events whose reader takes nothing for so long is ended.
  var streamStalledSeconds = 120

  /// - Throws: where there is no thread left.
  init() throws { reads = try ReadLanes() }
}
