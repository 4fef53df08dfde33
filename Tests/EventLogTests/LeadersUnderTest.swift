// What the check of two leaders asks of a log with two members, and Wharf's.

import Hosting
import Postgres
import TestKit

@testable import EventLog

enum Member: Sendable {
  /// Leads first, is held up in its append, and goes on later.
  case old
  /// Leads after it.
  case new
}

/// What stands at a position of the log.
struct LogEntry: Equatable, Sendable {
  let position: Int64
  let id: CommandID
  /// Nil for what is no mark, such as a change of leader.
  let mark: String?
}

enum MarkAnswer: Hashable, Sendable {
  case stored
  case refused
  /// The same id finds out, from whoever leads.
  case unknown
}

/// A log in which marks are placed, whose names are unique without case.
protocol LeadersUnderTest: Sendable {
  /// Its table, on which the check holds up appends.
  var table: String { get }
  /// All rows of the table, read past the members.
  var rows: [LogEntry] { get async throws }
  func place(_ mark: String, id: CommandID, by member: Member) async throws -> MarkAnswer
  /// The new one believes that nobody leads, and begins to take over.
  func takeOver() async throws
  func newLeads() async throws
  /// What a tail gives after a position.
  func tail(after position: Int64) async throws -> [LogEntry]
  /// Until one of them knows that it does not lead, but the other.
  func oneFollows() async throws
  func end() async
}

struct WharfLeaders: LeadersUnderTest {
  let table = "log.events"
  private let old: Rig
  private let new: Rig
  private let reader: LogReader

  init(_ database: TestDatabase) async throws {
    // What the check holds up is given up by nobody.
    old = try await Rig.leading(database) { $0.statementTimeout = .seconds(3_600) }
    let new = try Rig(database.configuration, instance: "two") {
      $0.statementTimeout = .seconds(3_600)
    }
    try await eventually("two follows") { new.head.standing == .following(address: "http://one") }
    self.new = new
    reader = LogReader(pool: try Pool(database.configuration), keys: PersonKeys(Rig.secret))
  }

  private func entry(_ event: StoredEvent) throws -> LogEntry {
    LogEntry(
      position: event.position.value, id: event.commandID,
      mark: (try event.decoded() as? MarkPlaced)?.name.description)
  }

  /// Verified, too.
  var rows: [LogEntry] { get throws { try new.verified().map(entry) } }

  func place(_ mark: String, id: CommandID, by member: Member) async -> MarkAnswer {
    do throws(SubmitFailure) {
      try await (member == .old ? old : new).send(PlaceMark(name: Name(known: mark)), id: id)
      return .stored
    } catch {
      switch error {
      case .refused, .changesNothing, .idUsedOtherwise: return .refused
      case .busy, .notLeading, .unavailable, .outOfTouch, .outcomeUnknown: return .unknown
      }
    }
  }

  func takeOver() throws {
    var connection = try Connection(old.database)
    // Believed gone: only the courtesy row says so.
    try connection.script("UPDATE log.leader SET instance = NULL")
  }

  func newLeads() async throws { try await new.leads() }

  func tail(after position: Int64) async throws -> [LogEntry] {
    try await reader.events(after: Position(position), limit: 1_000).map(entry)
  }

  func oneFollows() async throws {
    try await eventually("one leads, and the other follows it") {
      switch (old.head.standing, new.head.standing) {
      case (.following("http://two"), .leading), (.leading, .following("http://one")): true
      default: false
      }
    }
  }

  func end() async {
    await old.stop()
    await new.stop()
  }
}
