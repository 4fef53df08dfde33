// A wharfd's place in the log, in process, on a database of the test's own.

import Hosting
import Logging
import Postgres
import Synchronization
import TestKit

@testable import EventLog

final class Rig: Sendable {
  let member: LogMember
  let database: PostgresConfiguration
  private let task: Task<Void, any Error>

  static let secret = ClusterSecret(bytes: [UInt8](repeating: 7, count: ClusterSecret.byteCount))

  init(
    _ database: PostgresConfiguration, instance: String = "one",
    secret: ClusterSecret = Rig.secret, adjust: (inout LogSettings) -> Void = { _ in }
  ) throws {
    self.database = database
    var logger = Logger(label: instance) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    var settings = LogSettings(
      database: database, instance: instance, address: "http://\(instance)",
      makeCommandID: { .random() })
    settings.pollInterval = .milliseconds(100)
    adjust(&settings)
    let member = try LogMember(settings: settings, secret: secret, logger: logger)
    self.member = member
    task = Task { try await member.run() }
  }

  /// A migrated database with a member that leads it.
  static func leading(
    _ database: TestDatabase, adjust: (inout LogSettings) -> Void = { _ in }
  ) async throws -> Rig {
    _ = try Migrator.migrate(database.configuration)
    let rig = try Rig(database.configuration, adjust: adjust)
    try await rig.leads()
    return rig
  }

  var head: Head { member.board.current }

  func leads() async throws {
    try await eventually("\(self) leads") {
      if case .leading = head.standing { true } else { false }
    }
  }

  @discardableResult
  func send(
    _ command: any Command, id: CommandID = .random(), by principal: Principal = .tester,
    unchangedSince: Position? = nil
  ) async throws(SubmitFailure) -> Receipt {
    try await member.submit(
      CommandRequest(id: id, command: command, principal: principal, unchangedSince: unchangedSince)
    )
  }

  /// Everything in the table, checked to be contiguous, dated in order, chained and foldable.
  func verified() throws -> [StoredEvent] {
    var connection = try Connection(database)
    var verification = Verification()
    var events: [StoredEvent] = []
    while true {
      let rows = try connection.query(
        LogStatements.read(after: Position(Int64(events.count)), limit: 1_000))
      for row in rows {
        let event = try StoredEvent(row)
        try verification.check(event)
        events.append(event)
      }
      if rows.count < 1_000 { return events }
    }
  }

  func stop() async {
    member.stop()
    _ = try? await task.value
  }

  /// How the loop ended, if it did by itself.
  func ended() async throws { try await task.value }
}

extension CommandID {
  static func random() -> CommandID {
    CommandID(bytes: (0..<16).map { _ in .random(in: .min ... .max) })
  }
}

extension Principal {
  static let tester = Principal(actor: .of(Stream(.person, 1)), role: .admin)
  static func tester(_ number: Int) -> Principal {
    Principal(actor: .of(Stream(.person, Position(Int64(number) + 1))), role: .admin)
  }
}

extension Name {
  /// A name that a test knows to be well-formed.
  init(known text: String) { self = try! Name(text) }
}
