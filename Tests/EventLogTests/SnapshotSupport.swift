// What the tests of snapshots share: a log grown by random commands, and what the program said.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit

@testable import EventLog

/// Keeps every line that was logged.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func contain(_ text: String) -> Bool { all.contains { $0.contains(text) } }

  var logger: Logger {
    Logger(label: "test") { _ in Handler(lines: self) }
  }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.lines.withLock { $0.append(event.message.description) }
    }
  }
}

extension SnapshotLimits {
  static func every(_ events: Int64) -> SnapshotLimits {
    var limits = SnapshotLimits()
    limits.intervalEvents = events
    return limits
  }
}

extension SnapshotStore {
  /// A store that has read nothing yet, as that of a program that was started anew.
  static func fresh(
    every events: Int64 = 50, format: Digest = SnapshotStore.currentFormat,
    lines: LogLines = LogLines()
  ) -> SnapshotStore {
    SnapshotStore(
      secret: Rig.secret, limits: .every(events), format: format, logger: lines.logger)
  }
}

extension Rig {
  /// Sends random commands until the log is so long.
  func grow(to position: Position, seed: UInt64) async throws {
    var commands = RandomCommands(seed: seed)
    try await grow(to: position, &commands)
  }

  func grow(to position: Position, _ commands: inout RandomCommands) async throws {
    while head.state.position < position {
      let wish = commands.next(head.state)
      do {
        _ = try await member.submit(
          CommandRequest(id: .random(), command: wish.command, principal: wish.principal))
      } catch SubmitFailure.refused, SubmitFailure.changesNothing {
        continue
      }
    }
  }

  /// Every key that the database holds.
  func keysAtHand() throws -> PersonKeys {
    let keys = PersonKeys(Rig.secret)
    var connection = try Connection(database)
    try keys.prepareAll(&connection)
    return keys
  }

  /// The log as a fold from its beginning, as of each position.
  func folds() throws -> [HostingState] {
    let keys = try keysAtHand()
    var state = HostingState()
    return try [state]
      + verified().map { event in
        try state.fold(event, keys)
        return state
      }
  }
}

/// Writes a snapshot as of a position, folded from the beginning.
func writeSnapshot(
  at position: Position, of rig: Rig, _ store: SnapshotStore, _ connection: inout Connection
) throws {
  var state = HostingState()
  var hash = Chain.origin
  let keys = try rig.keysAtHand()
  for event in try rig.verified() where event.position <= position {
    try state.fold(event, keys)
    hash = event.hash
  }
  try store.write(KeptState(state: state, hash: hash), on: &connection)
}

func snapshotPositions(_ connection: inout Connection) throws -> [Int64] {
  try connection.query("SELECT position FROM log.snapshots ORDER BY position")
    .map { try $0.decode(Int64.self, at: 0) }
}
