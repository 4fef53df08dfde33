// Snapshots in the database: found, checked, written and thinned over a connection of the caller's.
//
// Nothing rests on a snapshot. One that is missing, damaged, of another format or of another log is
// passed over with a line in the program's own log, and the state is folded from further back. The
// seal is keyed: who can write to the database but has not the cluster secret can make none. The bytes
// are encrypted with it too: a state shows the names of persons, and a dump must not.
//
// A state shows persons who were forgotten after it was made. So it says how far its maker knew the log,
// and is neither written nor read where a person was forgotten since.

import Crypto
import Hosting
import Logging
import Postgres
import Synchronization

import struct Hosting.Digest

package struct KeptState: Sendable {
  package let state: HostingState
  /// The hash of the last event in the state.
  package let hash: Digest
  /// How far its maker knew the log: who was forgotten up to here is not shown.
  package let made: Position

  /// - Parameter made: the state's own position, unless more was known.
  package init(state: HostingState, hash: Digest, made: Position? = nil) {
    self.state = state
    self.hash = hash
    self.made = made ?? state.position
  }
}

package final class SnapshotStore: Sendable {
  package static let currentFormat = Digest(sha256Of: Array(SnapshotFormat.description.utf8))

  package let limits: SnapshotLimits
  private let secret: ClusterSecret
  private let keys: PersonKeys
  private let encryption: SnapshotEncryption
  private let format: Digest
  private let logger: Logger
  /// The newest state read or written here: who needs it next shares its memory.
  private let kept = Mutex<KeptState?>(nil)

  /// - Parameter keys: those of the program, which know who was forgotten.
  package init(
    secret: ClusterSecret, keys: PersonKeys? = nil, limits: SnapshotLimits = SnapshotLimits(),
    format: Digest = SnapshotStore.currentFormat, logger: Logger
  ) {
    self.secret = secret
    self.keys = keys ?? PersonKeys(secret)
    encryption = SnapshotEncryption(secret)
    self.limits = limits
    self.format = format
    self.logger = logger
  }

  private struct Candidate {
    let position: Position
    let hash: Digest
    let size: Int64
    let era: Position
    let made: Position
    let seal: Digest
    /// The hash of the event at the position; none where the log does not reach it.
    let eventHash: Digest?
  }

  /// The newest state at or before a position that can be read; none when the log must be folded from
  /// its start.
  package func newest(
    upTo limit: Position = Position(.max), on connection: inout Connection
  ) throws(PostgresError) -> KeptState? {
    let candidates = try candidates(upTo: limit, &connection)
    if let kept = try keptState(upTo: limit, &connection),
      kept.state.position >= candidates.first?.position ?? .empty
    {
      return kept
    }
    for candidate in candidates {
      guard let found = try read(candidate, &connection) else { continue }
      kept.withLock { $0 = found }
      return found
    }
    if candidates.isEmpty { try noteOtherFormats(&connection) }
    return nil
  }

  private func keptState(
    upTo limit: Position, _ connection: inout Connection
  ) throws(PostgresError) -> KeptState? {
    guard let kept = kept.withLock({ $0 }), kept.state.position <= limit,
      try kept.made >= lastForgotten(&connection)
    else { return nil }
    let rows = try connection.query(
      "SELECT hash FROM log.events WHERE position = \(kept.state.position.value)")
    guard let row = rows.first, try row.decode([UInt8].self, at: 0) == kept.hash.bytes else {
      return nil
    }
    return kept
  }

  /// As this program knows it or the database does.
  private func lastForgotten(
    _ connection: inout Connection
  ) throws(PostgresError) -> Position {
    let rows = try connection.query(VaultStatements.lastForgotten)
    return max(keys.lastForgotten, Position(try rows[0].decode(Int64.self, at: 0)))
  }

  private func candidates(
    upTo limit: Position, _ connection: inout Connection
  ) throws(PostgresError) -> [Candidate] {
    let forgotten = try lastForgotten(&connection)
    let rows = try connection.query(
      """
      SELECT s.position, s.hash, s.size, s.era, s.seal, e.hash, s.made_at
      FROM log.snapshots s LEFT JOIN log.events e ON e.position = s.position
      WHERE s.format = \(format.bytes) AND s.position <= \(limit.value)
        AND s.made_at >= \(forgotten.value) ORDER BY s.position DESC
      """)
    var found: [Candidate] = []
    for index in 0..<rows.count {
      let row = rows[index]
      let hash = try row.decode([UInt8].self, at: 1)
      let seal = try row.decode([UInt8].self, at: 4)
      let position = Position(try row.decode(Int64.self, at: 0))
      guard hash.count == 32, seal.count == 32 else {
        pass(position, "its hash or seal has not 32 bytes")
        continue
      }
      found.append(
        Candidate(
          position: position, hash: Digest(bytes: hash), size: try row.decode(Int64.self, at: 2),
          era: Position(max(0, try row.decode(Int64.self, at: 3))),
          made: Position(max(0, try row.decode(Int64.self, at: 6))), seal: Digest(bytes: seal),
          eventHash: try row.decode([UInt8]?.self, at: 5).map { Digest(bytes: $0) }))
    }
    return found
  }

  private func pass(_ position: Position, _ reason: String) {
    logger.warning("the snapshot at position \(position) is passed over: \(reason)")
  }

  private func noteOtherFormats(_ connection: inout Connection) throws(PostgresError) {
    let rows = try connection.query(
      "SELECT count(*) FROM log.snapshots WHERE format <> \(format.bytes)")
    let count = try rows[0].decode(Int64.self, at: 0)
    if count > 0 { logger.notice("\(count) snapshots are of another format, and passed over") }
  }

  /// Reads one and checks it; none, and a line that says why, when it does not fit.
  private func read(
    _ candidate: Candidate, _ connection: inout Connection
  ) throws(PostgresError) -> KeptState? {
    guard candidate.eventHash == candidate.hash else {
      pass(candidate.position, "it is of another log")
      return nil
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(max(0, min(candidate.size, 1 << 30))))
    let numbers = try connection.query(
      """
      SELECT number FROM log.snapshot_chunks
      WHERE format = \(format.bytes) AND position = \(candidate.position.value) ORDER BY number
      """)
    for index in 0..<numbers.count {
      let number = try numbers[index].decode(Int32.self, at: 0)
      let chunk = try connection.query(
        """
        SELECT bytes FROM log.snapshot_chunks
        WHERE format = \(format.bytes) AND position = \(candidate.position.value)
          AND number = \(number)
        """)
      guard let row = chunk.first else { break }
      bytes += try row.decode([UInt8].self, at: 0)
    }
    guard Int64(bytes.count) == candidate.size,
      let bytes = encryption.open(bytes, seal: candidate.seal),
      candidate.seal
        == seal(
          candidate.position, candidate.hash, era: candidate.era, made: candidate.made, bytes)
    else {
      pass(candidate.position, "it is damaged")
      return nil
    }
    do {
      let state = try HostingState(snapshotBytes: bytes)
      guard state.position == candidate.position else {
        pass(candidate.position, "it holds the state at position \(state.position)")
        return nil
      }
      return KeptState(state: state, hash: candidate.hash, made: candidate.made)
    } catch {
      pass(candidate.position, "it cannot be read: \(error)")
      return nil
    }
  }

  private func seal(
    _ position: Position, _ hash: Digest, era: Position, made: Position, _ bytes: [UInt8]
  ) -> Digest {
    secret.seal(
      "snapshot", format.bytes, Array(position.description.utf8), hash.bytes,
      Array(era.description.utf8), Array(made.description.utf8), bytes)
  }
}

// MARK: Writing

extension SnapshotStore {
  /// The position of the newest snapshot that fits this log.
  package func newestPosition(_ connection: inout Connection) throws(PostgresError) -> Position {
    let rows = try connection.query(
      """
      SELECT coalesce(max(s.position), 0)::int8
      FROM log.snapshots s JOIN log.events e ON e.position = s.position AND e.hash = s.hash
      WHERE s.format = \(format.bytes)
      """)
    return Position(try rows[0].decode(Int64.self, at: 0))
  }

  /// Writes a state, and takes away what is not worth keeping after it. All or nothing.
  ///
  /// - Returns: false, and nothing is written, when a person was forgotten since the state was made.
  @discardableResult
  package func write(_ new: KeptState, on connection: inout Connection) throws -> Bool {
    let clear = new.state.snapshotBytes
    let (position, era) = (new.state.position, new.state.log.era?.position ?? .empty)
    let seal = seal(position, new.hash, era: era, made: new.made, clear)
    let bytes = encryption.seal(clear, seal: seal)
    let isWritten = try connection.transaction { connection in
      // An erasure that discards all snapshots does so once the end of a key is stored, and waits for this lock. So
      // either it sees this snapshot, or this sees that a person was forgotten.
      try connection.execute("LOCK TABLE log.snapshots IN ROW EXCLUSIVE MODE")
      guard try new.made >= lastForgotten(&connection) else { return false }
      // A cache may be lost in a crash.
      try connection.execute("SELECT set_config('synchronous_commit', 'off', true)")
      try connection.execute(
        """
        DELETE FROM log.snapshots
        WHERE format = \(format.bytes) AND position = \(position.value)
        """)
      try connection.execute(
        """
        INSERT INTO log.snapshots (format, position, hash, era, size, seal, made_at)
        VALUES (\(format.bytes), \(position.value), \(new.hash.bytes), \(era.value),
          \(Int64(bytes.count)), \(seal.bytes), \(new.made.value))
        """)
      for (number, start) in stride(from: 0, to: bytes.count, by: limits.chunkBytes).enumerated() {
        let chunk = Array(bytes[start..<min(start + limits.chunkBytes, bytes.count)])
        try connection.execute(
          """
          INSERT INTO log.snapshot_chunks (format, position, number, bytes)
          VALUES (\(format.bytes), \(position.value), \(Int32(number)), \(chunk))
          """)
      }
      try thin(newest: position, &connection)
      return true
    }
    if isWritten { kept.withLock { $0 = new } }
    return isWritten
  }

  /// Takes away what is of another log, what is superfluous, and what an older program left long ago.
  private func thin(newest: Position, _ connection: inout Connection) throws(PostgresError) {
    try connection.execute(
      """
      DELETE FROM log.snapshots s WHERE NOT EXISTS (
        SELECT FROM log.events e WHERE e.position = s.position AND e.hash = s.hash)
      """)
    let rows = try connection.query("SELECT format, position FROM log.snapshots")
    var positions: [[UInt8]: [Position]] = [:]
    for index in 0..<rows.count {
      let row = rows[index]
      positions[try row.decode([UInt8].self, at: 0), default: []].append(
        Position(try row.decode(Int64.self, at: 1)))
    }
    for (other, all) in positions {
      let gone: [Position]
      if other == format.bytes {
        gone = limits.superfluous(all)
      } else {
        let last = all.max() ?? .empty
        gone = all.filter {
          $0 != last || limits.isForgotten(otherFormatAt: last, newest: newest)
        }
      }
      guard !gone.isEmpty else { continue }
      try connection.execute(
        """
        DELETE FROM log.snapshots
        WHERE format = \(other) AND position = ANY(\(gone.map(\.value)))
        """)
    }
  }

  /// Takes away every snapshot, of whatever format, and the state kept here: when what a fold gives
  /// has changed for the past too. The files are new ones: a deleted row would leave its bytes.
  ///
  /// - Parameter lockWait: a reader of the tables, such as a dump, may hold this up.
  /// - Returns: where there were snapshots of this program's format, ascending.
  package func discardAll(
    lockWait: Duration = .milliseconds(500), on connection: inout Connection
  ) throws -> [Position] {
    kept.withLock { $0 = nil }
    let format = format
    return try connection.transaction { connection in
      try connection.execute(
        "SELECT set_config('lock_timeout', \("\(Int(lockWait / .milliseconds(1)))ms"), true)")
      try connection.execute("LOCK TABLE log.snapshots IN ACCESS EXCLUSIVE MODE")
      let rows = try connection.query(
        "SELECT position FROM log.snapshots WHERE format = \(format.bytes) ORDER BY position")
      let positions = try rows.map { Position(try $0.decode(Int64.self, at: 0)) }
      try connection.script("TRUNCATE log.snapshots, log.snapshot_chunks")
      return positions
    }
  }
}

/// The bytes of snapshots, as they stand in the database. A seal is of one state only, so its first bytes
/// are a nonce that never comes twice with other bytes.
private struct SnapshotEncryption: Sendable {
  private static let nonceBytes = 12

  private let key: SymmetricKey

  init(_ secret: ClusterSecret) { key = secret.key(for: "wharf snapshots") }

  func seal(_ bytes: [UInt8], seal: Digest) -> [UInt8] {
    do {
      let nonce = try AES.GCM.Nonce(data: seal.bytes.prefix(Self.nonceBytes))
      let box = try AES.GCM.seal(bytes, using: key, nonce: nonce)
      return Array(box.ciphertext) + Array(box.tag)
    } catch {
      preconditionFailure("sealing with a key and a nonce of their lengths failed: \(error)")
    }
  }

  /// - Returns: nil when the bytes are not what was sealed.
  func open(_ bytes: [UInt8], seal: Digest) -> [UInt8]? {
    guard bytes.count >= 16,
      let nonce = try? AES.GCM.Nonce(data: seal.bytes.prefix(Self.nonceBytes)),
      let box = try? AES.GCM.SealedBox(
        nonce: nonce, ciphertext: bytes[..<(bytes.count - 16)], tag: bytes[(bytes.count - 16)...])
    else { return nil }
    return (try? AES.GCM.open(box, using: key)).map { Array($0) }
  }
}
