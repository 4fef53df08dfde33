// `wharfd verify`: reads every row, checks that positions are contiguous, times never fall and each
// hash is that of its row, and that every event can be read and folded. What is sealed stays sealed:
// the chain is over the bytes as they are stored.

import Hosting
import Postgres

package struct Verification: Sendable {
  /// What was found sound: the head and its hash.
  package struct Sound: Equatable, Sendable {
    package let position: Position
    package let hash: Digest
  }

  private var state = HostingState()
  private var hash = Chain.origin
  private let keys = PersonKeys.none

  package init() {}

  /// Checks the next row.
  package mutating func check(_ event: StoredEvent) throws(LogError) {
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
    hash = event.hash
  }

  package var sound: Sound { Sound(position: state.position, hash: hash) }

  /// Verifies the whole log over one connection; `progress` is told of every so many rows and of the last,
  /// with the number of all.
  package static func run(
    _ configuration: PostgresConfiguration, progress: (Position, Int64) -> Void
  ) throws -> Sound {
    var connection = try Connection(configuration, timeout: .seconds(10))
    return try connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
      let head = try connection.query(LogStatements.head)
      let count = try head[0].decode(Int64.self, at: 0)
      var verification = Verification()
      try LogReader.forEach(after: .empty, on: &connection) { event in
        try verification.check(event)
        let position = event.position
        if position.value % progressEvery == 0 || position.value == count {
          progress(position, count)
        }
      }
      return verification.sound
    }
  }

  private static let progressEvery: Int64 = 1_000
}
