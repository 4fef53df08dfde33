// `wharfd finalize`: says in the log that it may hold what came with this program's format level. The
// fact is decided at the head and appended as every other, beside whoever leads: if someone else was
// there first, the log is read on and it is decided again.

import Hosting
import Logging
import Postgres

package struct Finalization {
  /// A wharfd that said nothing for so long does not live. If it does after all, it stops at the fact itself.
  package static let silenceSeconds = 30
  /// How often others may be first.
  static let tryLimit = 100

  package enum Outcome: Equatable, Sendable {
    case raised(to: Int, at: Position)
    /// The log was there already.
    case alreadyAt(Int)
  }

  private let level: Int
  private let secret: ClusterSecret
  private let snapshots: SnapshotStore?
  private let makeCommandID: () -> CommandID
  private let keys: PersonKeys
  private var state = HostingState()
  private var hash = Chain.origin

  private init(
    level: Int, secret: ClusterSecret, snapshots: SnapshotStore?,
    makeCommandID: @escaping () -> CommandID
  ) {
    self.level = level
    self.secret = secret
    self.snapshots = snapshots
    self.makeCommandID = makeCommandID
    keys = PersonKeys(secret)
  }

  /// Raises the log to a level: this program's own, but in tests.
  ///
  /// - Throws: `Refusal` while an older wharfd lives; `LogError` when the log cannot be read, is of
  ///   another database, or others append all the time.
  package static func run(
    _ configuration: PostgresConfiguration, level: Int = FormatLevel.current,
    secret: ClusterSecret, snapshots: SnapshotStore? = nil,
    makeCommandID: @escaping () -> CommandID
  ) throws -> Outcome {
    var connection = try Connection(configuration, timeout: .seconds(10))
    try connection.execute(LogStatements.durable)
    var finalization = Finalization(
      level: level, secret: secret, snapshots: snapshots, makeCommandID: makeCommandID)
    return try finalization.run(&connection)
  }

  private mutating func run(_ connection: inout Connection) throws -> Outcome {
    if let kept = try snapshots?.newest(on: &connection) {
      state = kept.state
      hash = kept.hash
    }
    for _ in 0..<Self.tryLimit {
      try readOn(&connection)
      if state.log.formatLevel == level { return .alreadyAt(level) }
      if let position = try tryOnce(&connection) { return .raised(to: level, at: position) }
    }
    throw LogError.crowded(tries: Self.tryLimit)
  }

  private mutating func readOn(_ connection: inout Connection) throws {
    while true {
      let events = try LogReader.events(
        after: state.position, limit: LogReader.pageLimit, on: &connection)
      try keys.prepare(events, &connection)
      for event in events {
        guard Chain.hash(of: event, after: hash) == event.hash else {
          throw LogError.broken(
            position: event.position, reason: "the row is not what was appended")
        }
        try state.fold(event, keys)
        hash = event.hash
      }
      if events.count < LogReader.pageLimit { return }
    }
  }

  /// - Returns: the position of the fact; none when someone else was first.
  private func tryOnce(_ connection: inout Connection) throws -> Position? {
    let now = try requireThisEra(&connection)
    if let recorded = state.log.secretFingerprint, recorded != secret.fingerprint {
      throw LogError.otherSecret(recorded: recorded, given: secret.fingerprint)
    }
    let command = RaiseFormatLevel(level: level, readers: try readers(&connection))
    let request = CommandRequest(id: makeCommandID(), command: command, principal: .wharfd)
    let pending = PendingCommand(request: request, seal: request.seal(secret))
    let batch = Batch([pending], after: state, hash: hash, now: now, sealing: .nothing)
    switch batch.outcomes[0].outcome {
    case .accepted: break
    case .failed(.refused(let refusal, _)): throw refusal
    case .failed(let failure): throw failure
    }
    do {
      try connection.execute(LogStatements.append(batch.rows))
      return batch.state.position
    } catch let error where error.constraint == "events_pkey" {
      return nil
    }
  }

  private func readers(_ connection: inout Connection) throws -> [FormatReader] {
    try connection.query(MemberStatements.living(withinSeconds: Self.silenceSeconds)).map { row in
      FormatReader(
        instance: try row.decode(String.self, at: 0),
        formatLevel: Int(try row.decode(Int32.self, at: 1)))
    }
  }

  /// - Returns: the database's time.
  private func requireThisEra(_ connection: inout Connection) throws -> Timestamp {
    let (database, time) = try LogStatements.readIdentity(&connection)
    guard let era = state.log.era else { throw LogError.neverLed }
    guard era.database == database else {
      throw LogError.otherEra(
        recorded: era.database.description, found: database.description)
    }
    return time
  }
}
