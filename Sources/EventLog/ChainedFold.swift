// A walk over the log from its start: positions without a gap, times that never fall, hashes that
// fit, events that can be read. What recovers, exports and imports stands on it. It opens no personal
// data, and needs none: the log folds whoever is forgotten.

import Hosting
import Postgres

package struct ChainedFold: Sendable {
  static let pageLimit = 1_000

  package private(set) var state = HostingState()
  package private(set) var hash = Chain.origin

  private let keys = PersonKeys.none

  package init() {}

  package var position: Position { state.position }

  /// Whose data stands sealed in it.
  var sealed: [ID<Person>] { keys.unopened.sorted() }

  /// Takes the next event, or stops at it loudly.
  package mutating func take(_ event: StoredEvent) throws(LogError) {
    guard event.position == state.position.next else {
      throw .gap(expected: state.position.next, found: event.position)
    }
    guard event.recordedAt >= state.recordedAt else {
      throw .broken(
        position: event.position, reason: "it is dated before the event that it follows")
    }
    guard Chain.hash(of: event, after: hash) == event.hash else {
      throw .broken(
        position: event.position, reason: "its hash is not that of its columns and the hash before")
    }
    try state.fold(event, keys)
    _ = try keys.reason(of: event)
    hash = event.hash
  }

  /// Takes everything that the database holds. In pages: what is read is a prefix, and stays one.
  package mutating func takeAll(
    _ connection: inout Connection, progress: (Position, Position) -> Void
  ) throws {
    let head = try LogStatements.readHead(&connection)
    while true {
      let page = try LogReader.events(
        after: position, limit: Self.pageLimit, on: &connection)
      for event in page { try take(event) }
      progress(position, max(head, position))
      if page.count < Self.pageLimit { return }
    }
  }
}
