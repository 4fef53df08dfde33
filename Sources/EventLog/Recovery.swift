// `wharfd recover`: after a restore, or the promotion of a standby, the log goes on in a new era. The
// database may hold less than was once acknowledged and acted on, so the era is begun only on a
// person's word, and whoever saw more of the old one is not steered by the new.

import Hosting
import Postgres

package struct Recovery {
  /// What stands in the database before anything is changed.
  package struct Finding: Equatable, Sendable {
    package let era: Era
    package let head: Position
    package let hash: Digest
    package let recordedAt: Timestamp
    /// The database that it stands in now.
    package let database: DatabaseIdentity

    /// It was written into this very database: an era began here already.
    package var isAtHome: Bool { era.database == database }
  }

  package enum Refused: Error, Equatable, CustomStringConvertible {
    case empty
    /// Somebody else appended meanwhile.
    case overtaken(at: Position)
    /// The standby has not been promoted yet.
    case standby

    package var description: String {
      switch self {
      case .empty: "the log is empty: a wharfd begins its first era by itself"
      case .overtaken(let position):
        "somebody else appended at position \(position) meanwhile: stop every wharfd of this "
          + "database, and look again"
      case .standby:
        "this PostgreSQL is a standby, and takes no writes: promote it first, with pg_ctl promote"
      }
    }
  }

  private var fold = ChainedFold()
  package let finding: Finding

  /// Reads and verifies the whole log.
  package init(
    _ connection: inout Connection, progress: (Position, Position) -> Void
  ) throws {
    try fold.takeAll(&connection, progress: progress)
    guard let era = fold.state.log.era else { throw Refused.empty }
    let standby = try connection.query("SELECT pg_is_in_recovery()")
    if try standby[0].decode(Bool.self, at: 0) { throw Refused.standby }
    finding = Finding(
      era: era, head: fold.position, hash: fold.hash, recordedAt: fold.state.recordedAt,
      database: try LogStatements.readIdentity(&connection).identity)
  }

  /// Appends the event with which the era begins, at the head that was found; its position is the
  /// era's, the next one after the head.
  ///
  /// - Parameter secret: that the log goes on with, where the one before is lost.
  /// - Returns: the head after it.
  package func begin(
    _ connection: inout Connection, secret: ClusterSecret? = nil, commandID: CommandID, seal: Digest
  ) throws -> (position: Position, hash: Digest) {
    let command = BeginEra(database: finding.database, secretFingerprint: secret?.fingerprint)
    return try append(command, &connection, commandID, seal, givingUpKeys: secret != nil)
  }

  /// Lets the log go on with another secret, in the era that it is in.
  ///
  /// - Throws: `Refusal` where the log says nothing of secrets, and takes any.
  package func record(
    _ secret: ClusterSecret, _ connection: inout Connection, commandID: CommandID, seal: Digest
  ) throws -> (position: Position, hash: Digest) {
    let command = RecordClusterSecret(fingerprint: secret.fingerprint)
    return try append(command, &connection, commandID, seal, givingUpKeys: true)
  }

  /// - Parameter givingUpKeys: of persons: they were wrapped with a secret that is lost.
  private func append(
    _ command: any Command, _ connection: inout Connection, _ commandID: CommandID, _ seal: Digest,
    givingUpKeys: Bool
  ) throws -> (position: Position, hash: Digest) {
    let now = try LogStatements.readIdentity(&connection).databaseTime
    let request = CommandRequest(id: commandID, command: command, principal: .wharfd)
    let pending = PendingCommand(request: request, seal: seal)
    let batch = Batch(
      [pending], after: fold.state, hash: fold.hash, now: now, sealing: .nothing)
    switch batch.outcomes[0].outcome {
    case .accepted: break
    case .failed(.refused(let refusal, _)): throw refusal
    case .failed(.changesNothing): break
    case .failed(let failure): throw failure
    }
    try connection.execute(LogStatements.durable)
    do {
      try connection.transaction { connection in
        try connection.execute(LogStatements.append(batch.rows))
        if givingUpKeys {
          try connection.execute(VaultStatements.giveUpAll(at: batch.state.position))
        }
        // Restored or imported without them.
        try connection.execute(
          VaultStatements.giveUp(fold.sealed, at: batch.state.position))
      }
    } catch let error as PostgresError where error.constraint == "events_pkey" {
      throw Refused.overtaken(at: fold.position.next)
    }
    return (batch.state.position, batch.hash)
  }
}
