// The loop of a member with an inbox of the test's own: what is sent is decided in that order, and whether it
// was taken can be seen.

import Foundation
import Hosting
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

/// A member whose commands come in the order in which they were sent, and whose answers are counted.
final class LoopRig: Sendable {
  typealias Answer = Result<Receipt, SubmitFailure>

  let database: PostgresConfiguration
  let board = HeadBoard()
  let inbox: Inbox
  let keys = PersonKeys(Rig.secret)
  private let answers = Mutex<[String: [Answer]]>([:])
  private let isStopped = Mutex(false)
  private let hasEnded = Mutex(false)

  init(_ database: PostgresConfiguration) throws {
    _ = try Migrator.migrate(database)
    self.database = database
    let wake = try WakeDescriptor()
    inbox = Inbox(limits: InboxLimits()) { wake.wake() }
    var logger = Logger(label: "loop") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    var settings = LogSettings(
      database: database, instance: "one", address: "http://one", makeCommandID: { .random() })
    settings.pollInterval = .milliseconds(100)
    // What a test holds up is given up by nobody.
    settings.statementTimeout = .seconds(3_600)
    let loop = MemberLoop(
      settings: settings, secret: Rig.secret, keys: keys, board: board,
      inbox: inbox, wake: wake, stopped: { [self] in isStopped.withLock { $0 } }, touched: { _ in },
      outOfTouch: { nil }, logger: logger)
    Thread.detachNewThread { [self] in
      var loop = loop
      do { try loop.run() } catch { Issue.record("the loop ended: \(error)") }
      hasEnded.withLock { $0 = true }
    }
  }

  func leads() async throws {
    try await eventually("it leads") {
      if case .leading = board.current.standing { true } else { false }
    }
  }

  /// Whether its statement waits for a lock.
  func isHeldUp(by kind: String = "relation") throws -> Bool {
    var connection = try Connection(database)
    let rows = try connection.query(
      """
      SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND wait_event = \(kind) AND datname = current_database()
      """)
    return try rows[0].decode(Int64.self, at: 0) > 0
  }

  /// Places a mark.
  func request(
    _ name: String, by principal: Principal = .tester, reason: Text? = nil
  ) -> CommandRequest {
    CommandRequest(
      id: .random(), command: PlaceMark(name: Name(known: name)), principal: principal,
      reason: reason)
  }

  /// Sends it; its answers are found under a name.
  func add(_ request: CommandRequest, as name: String) {
    inbox.add(
      PendingCommand(
        request: request, seal: request.seal(Rig.secret), deadline: .now + .seconds(3_600)
      ) { [self] answer in answers.withLock { $0[name, default: []].append(answer) } })
  }

  func answers(to name: String) -> [Answer] { answers.withLock { $0[name] ?? [] } }

  /// What came of the only answer there is.
  func receipt(of name: String) async throws -> Receipt {
    try await eventually("\(name) is answered") { !answers(to: name).isEmpty }
    let all = answers(to: name)
    #expect(all.count == 1)
    return try all[0].get()
  }

  func stop() async throws {
    isStopped.withLock { $0 = true }
    try await eventually("the loop ended") { hasEnded.withLock { $0 } }
  }
}
