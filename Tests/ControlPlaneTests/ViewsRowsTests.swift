// Keeping rows event by event must come to what the whole state says.

import EventLog
import Hosting
import TestKit
import Testing

@testable import ControlPlane

@Suite struct ViewsRowsTests {
  /// Rows kept by applying changes, as the database would.
  private struct Kept {
    var tables: [ViewTable: [ViewKey: ViewRow]] = [:]

    mutating func apply(_ changes: ViewChanges) throws {
      for (table, keys) in changes.deletes {
        for key in keys {
          try #require(
            tables[table]?.removeValue(forKey: key) != nil, "no row of \(table.name) to delete")
        }
      }
      for (table, rows) in changes.upserts {
        for row in rows { tables[table, default: [:]][table.key(of: row)] = row }
      }
      for row in changes.timeline {
        tables[ViewRows.timeline, default: [:]][ViewRows.timeline.key(of: row)] = row
      }
    }
  }

  @Test(arguments: UInt64(1)...6)
  func `kept row by row, views are the rows of the whole state`(seed: UInt64) async throws {
    try await offPool {
      var log = try RandomLog(seed: seed)
      try log.grow(by: 800)
      var random = SeededGenerator(seed: seed)
      var projection = Projection(keys: log.keys)
      var kept = Kept()
      while projection.position.value < log.events.count {
        let start = Int(projection.position.value)
        // Live batches are small, those of a backlog are not.
        let size = Bool.random(using: &random) ? 1 : Int.random(in: 1...60, using: &random)
        let (changes, failure) = projection.advance(
          Array(log.events[start..<min(start + size, log.events.count)]))
        try #require(failure == nil)
        try kept.apply(changes)
        let all = projection.allRows
        for table in ViewRows.tables where table != ViewRows.timeline {
          try #require(
            kept.tables[table] ?? [:] == all[table], "\(table.name) at \(projection.position)")
        }
      }
      #expect(kept.tables[ViewRows.timeline]?.count == log.events.count)
      #expect(projection.checkpoint.hash == log.hash)
    }
  }

  @Test func `random logs fill every table and use every type of event but a few`() async throws {
    try await offPool {
      var filled: Set<String> = []
      var types: Set<String> = []
      for seed in UInt64(1)...3 {
        var log = try RandomLog(seed: seed)
        try log.grow(by: 1_500)
        try log.addSeldom()
        var projection = Projection(keys: log.keys)
        // Grown in parts, so that what comes and goes has rows for a while.
        for start in stride(from: 0, to: log.events.count, by: 20) {
          let part = log.events[start..<min(start + 20, log.events.count)]
          let changes = projection.advance(Array(part)).changes
          for (table, rows) in changes.upserts where !rows.isEmpty { filled.insert(table.name) }
        }
        for event in log.events { types.insert(event.type) }
      }
      let tables = Set(ViewRows.tables.map { $0.name })
      #expect(tables.subtracting(filled) == ["timeline"])
      var unused = Set(EventTypes.all.map { $0.type }).subtracting(types)
      // No grant's date comes in a random log, and no agent saw another one.
      unused.subtract(["grantExpired", "nodeAlarmed", "eraAccepted"])
      unused.remove("clusterSecretRecorded")
      #expect(unused == [])
    }
  }

  @Test func `a grant ends with its agreement, where that comes first`() throws {
    var log = try RandomLog(seed: 1)
    var projection = Projection(keys: log.keys)
    let admin = Principal(actor: .of(Stream(.person, 4)), role: .admin)
    func send(_ commands: any Command...) throws {
      for command in commands { try log.send(Wish(command: command, principal: admin)) }
    }
    func until() throws -> Cell? {
      let unread = Array(log.events[Int(projection.position.value)...])
      _ = projection.advance(unread)
      let column = try #require(
        TeamRows.grants.table.columns.firstIndex { $0.name == "until" })
      return projection.allRows[TeamRows.grants.table].values.first?[column]
    }
    let (xai, copilot) = (Name(known: "xai"), Name(known: "copilot"))
    let model = try ModelReference(jsonText: "xai/grok-3")
    let (early, middle, late) = (
      Timestamp("2030-01-01")!, Timestamp("2040-01-01")!, Timestamp("2050-01-01")!
    )
    try send(
      RegisterProvider(name: xai),
      SignAgreement(
        provider: xai,
        terms: Terms(
          scope: [.inference], audiences: [.internal], from: Timestamp("2025-01-01")!, until: late,
          noticeDays: 0)),
      OnboardModel(model: model, task: .chat, contextLength: nil),
      PublishModel(model: model, audience: .internal, stage: .general),
      RegisterTeam(name: copilot, audience: .internal),
      GrantAccess(team: copilot, model: model))
    #expect(try until() == .time(late))
    try send(
      AmendAgreement(
        provider: xai, scope: nil, audiences: nil, until: early, noticeDays: nil))
    #expect(try until() == .time(early))
    try send(
      AmendAgreement(
        provider: xai, scope: nil, audiences: nil, until: late, noticeDays: nil))
    try send(GrantAccess(team: copilot, model: model, until: middle))
    #expect(try until() == .time(middle))
  }

  @Test func `an event that cannot be read stops the fold there, with all before it told`() throws {
    var log = try RandomLog(seed: 3)
    try log.grow(by: 20)
    var events = log.events
    events[10] = events[10].renamed("somethingNewer")
    var projection = Projection(keys: log.keys)
    let (changes, failure) = projection.advance(events)
    #expect(changes.timeline.count == 10)
    #expect(projection.position == 10)
    guard case .unreadable(let position, _) = failure else {
      Issue.record("stopped with \(String(describing: failure))")
      return
    }
    #expect(position == 11)
  }
}
