// Makes the views anew from the log, beside those that serve, and swaps.
//
//  1. `views_next` is filled: the timeline event by event, the other tables from the state at the end.
//     Until then its checkpoint has no form, so no projector takes it for views.
//  2. It follows the log up to the head, as a projector would.
//  3. In one transaction the old checkpoint loses its form, which waits for a projector that is about to
//     commit and fences off every later one; what it had ahead of us is caught up; and the schemas
//     change their names. Renaming a schema waits for no reader of its tables, and so a statement that
//     was read before the swap may look after it: the old tables stay whole, their checkpoint too. Whoever
//     may read the old ones may read the new: see Inheritance.swift.
//  4. The old tables go as soon as nobody reads them, or with the next rebuild.
//
// Killed at any point, either the old views stand or the new ones, and the next rebuild begins anew.

import EventLog
import Hosting
import Migrations
import Postgres

package struct Rebuild {
  package enum Step: Equatable, Sendable {
    /// So many of the log's events are in the timeline.
    case filling(position: Position, head: Position)
    case writingRows(count: Int)
    case catchingUp(position: Position)
    case swapped(ViewCheckpoint)
    /// Someone still reads the old tables, which wait in this schema.
    case kept(schema: String)
  }

  /// Another rebuild is under way.
  package struct UnderWay: Error, CustomStringConvertible {
    package let description =
      "cannot rebuild the views: another rebuild is under way; wait until it is done"
  }

  /// Only one rebuild runs at a time; the number is ours alone.
  private static let lockNumber: Int64 = 0x7768_6172_67
  /// How long a drop waits for readers.
  private static let dropWaitMilliseconds = 500

  private let next = ViewStatements(schema: ViewStatements.nextSchema)
  private let keys: PersonKeys
  private let progress: (Step) -> Void
  private var projection: Projection

  private init(keys: PersonKeys, progress: @escaping (Step) -> Void) {
    self.keys = keys
    self.progress = progress
    projection = Projection(keys: keys)
  }

  /// Rebuilds over a connection of the caller's own, outside of a transaction.
  ///
  /// - Parameter keys: whoever's are missing is forgotten in the new views.
  /// - Returns: the fold that the new views stand at.
  /// - Throws: `LogError` at an event that cannot be read; the views stay as they were.
  package static func run(
    _ connection: inout Connection, keys: PersonKeys, progress: @escaping (Step) -> Void
  ) throws -> Projection {
    let locked = try connection.query("SELECT pg_try_advisory_lock(\(lockNumber))")
    guard try locked[0].decode(Bool.self, at: 0) else { throw UnderWay() }
    var rebuild = Rebuild(keys: keys, progress: progress)
    do {
      try rebuild.run(&connection)
    } catch {
      if !connection.isBroken { _ = try? unlock(&connection) }
      throw error
    }
    try unlock(&connection)
    return rebuild.projection
  }

  private static func unlock(_ connection: inout Connection) throws {
    try connection.execute("SELECT pg_advisory_unlock(\(lockNumber))")
  }

  private mutating func run(_ connection: inout Connection) throws {
    _ = try Self.dropRetired(&connection)
    try create(&connection)
    try fill(&connection)
    try writeRows(&connection)
    try catchUp(&connection)
    try LogReader.confirm(on: &connection)
    let retired = try swap(&connection)
    progress(.swapped(projection.checkpoint))
    if let retired, try !Self.drop(retired, &connection) { progress(.kept(schema: retired)) }
  }

  private func create(_ connection: inout Connection) throws {
    try connection.transaction { connection in
      try connection.execute("SELECT set_config('lock_timeout', '10s', true)")
      try connection.script(
        "DROP SCHEMA IF EXISTS \(Query.quoted(identifier: ViewStatements.nextSchema)) CASCADE")
      try connection.execute(
        "SELECT set_config('wharf.views_schema', \(ViewStatements.nextSchema), true)")
      try connection.script(Migrations.views.sql)
    }
  }

  private func events(
    after position: Position, _ connection: inout Connection
  ) throws -> [StoredEvent] {
    let events = try LogReader.events(
      after: position, limit: LogReader.pageLimit, on: &connection)
    try keys.prepare(events, reasons: true, &connection)
    return events
  }
}

// Filling.
extension Rebuild {
  private mutating func fill(_ connection: inout Connection) throws {
    let rows = try connection.query("SELECT coalesce(max(position), 0)::int8 FROM log.events")
    let head = Position(try rows[0].decode(Int64.self, at: 0))
    while true {
      let events = try events(after: projection.position, &connection)
      if events.isEmpty { return }
      let (timeline, failure) = projection.tell(events)
      try connection.transaction { connection in
        try Self.relax(&connection)
        for query in next.inserts(timeline, into: ViewRows.timeline) {
          try connection.execute(query)
        }
      }
      if let failure { throw failure }
      progress(.filling(position: projection.position, head: max(head, projection.position)))
      if events.count < LogReader.pageLimit { return }
    }
  }

  /// Nothing of this is lost for good in a crash.
  private static func relax(_ connection: inout Connection) throws {
    try connection.execute("SELECT set_config('synchronous_commit', 'off', true)")
  }

  /// From here on these tables are views at a position.
  private func writeRows(_ connection: inout Connection) throws {
    let rows = projection.allRows
    progress(.writingRows(count: rows.tables.values.reduce(0) { $0 + $1.count }))
    try connection.transaction { connection in
      try Self.relax(&connection)
      for table in ViewRows.tables {
        for query in next.inserts(Array(rows[table].values), into: table) {
          try connection.execute(query)
        }
      }
      try connection.execute(next.begin(at: projection.checkpoint))
    }
  }

  private mutating func catchUp(_ connection: inout Connection) throws {
    let store = ViewStore(schema: ViewStatements.nextSchema)
    while true {
      let events = try events(after: projection.position, &connection)
      if events.isEmpty { return }
      let (changes, failure) = projection.advance(events)
      try store.apply(changes, &connection)
      if let failure { throw failure }
      progress(.catchingUp(position: projection.position))
      if events.count < LogReader.pageLimit { return }
    }
  }
}

// Swapping.
extension Rebuild {
  /// - Returns: the schema that the old views went to, if there were any.
  private mutating func swap(_ connection: inout Connection) throws -> String? {
    var projection = projection
    let retired = try connection.transaction { connection -> String? in
      let isOfOneForm = try Self.isOfOurForm(&connection)
      let old = try Self.takeOver(&connection)
      while let old, projection.position < old, try follow(&projection, &connection) {}
      var retired: String?
      if try Self.exists(ViewStatements.schema, &connection) {
        try Inheritance(
          from: ViewStatements.schema, to: ViewStatements.nextSchema, isOfOneForm: isOfOneForm
        ).carryOver(&connection)
        let free = try Self.freeName(&connection)
        try Self.rename(ViewStatements.schema, to: free, &connection)
        retired = free
      }
      try Self.rename(ViewStatements.nextSchema, to: ViewStatements.schema, &connection)
      return retired
    }
    self.projection = projection
    return retired
  }

  private static func isOfOurForm(_ connection: inout Connection) throws -> Bool {
    let exists = try connection.query(ViewStatements().exists)
    guard try exists[0].decode(Bool.self, at: 0) else { return false }
    let same = try connection.query(
      "SELECT coalesce(bool_and(form = \(ViewForm.digest.bytes)), false) FROM views.checkpoint")
    return try same[0].decode(Bool.self, at: 0)
  }

  /// From here to the commit no projector moves the old views, nor after.
  private static func takeOver(_ connection: inout Connection) throws -> Position? {
    let exists = try connection.query(ViewStatements().exists)
    guard try exists[0].decode(Bool.self, at: 0) else { return nil }
    let rows = try connection.query(
      "UPDATE views.checkpoint SET form = NULL RETURNING greatest(position, 0)")
    return try rows.first.map { Position(try $0.decode(Int64.self, at: 0)) }
  }

  /// The old views may be ahead, but never of the log.
  ///
  /// - Returns: false at the log's end: a checkpoint past it was changed by hand.
  private func follow(
    _ projection: inout Projection, _ connection: inout Connection
  ) throws -> Bool {
    let events = try events(after: projection.position, &connection)
    guard !events.isEmpty else { return false }
    let (changes, failure) = projection.advance(events)
    if let failure { throw failure }
    var count = 0
    try ViewStore(schema: ViewStatements.nextSchema).write(changes, &connection, &count)
    return true
  }

  private static func exists(_ schema: String, _ connection: inout Connection) throws -> Bool {
    try connection.query("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = \(schema))")[0]
      .decode(Bool.self, at: 0)
  }

  private static func rename(
    _ schema: String, to name: String, _ connection: inout Connection
  ) throws {
    try connection.script(
      "ALTER SCHEMA \(Query.quoted(identifier: schema)) RENAME TO \(Query.quoted(identifier: name))"
    )
  }

  private static func retired(_ connection: inout Connection) throws -> [String] {
    let rows = try connection.query(
      "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, \(ViewStatements.retiredPrefix))"
    )
    return try rows.map { try $0.decode(String.self, at: 0) }
  }

  private static func freeName(_ connection: inout Connection) throws -> String {
    let taken = try Set(retired(&connection))
    var number = 1
    while taken.contains("\(ViewStatements.retiredPrefix)\(number)") { number += 1 }
    return "\(ViewStatements.retiredPrefix)\(number)"
  }

  /// Drops what earlier rebuilds left, where nobody reads it any more.
  ///
  /// - Returns: false when someone still reads some of it.
  package static func dropRetired(_ connection: inout Connection) throws -> Bool {
    var areGone = true
    for schema in try retired(&connection) where try !drop(schema, &connection) { areGone = false }
    return areGone
  }

  /// - Returns: false when someone still reads it.
  private static func drop(_ schema: String, _ connection: inout Connection) throws -> Bool {
    do {
      try connection.transaction { connection in
        try connection.execute(
          "SELECT set_config('lock_timeout', \("\(dropWaitMilliseconds)ms"), true)")
        try connection.script("DROP SCHEMA IF EXISTS \(Query.quoted(identifier: schema)) CASCADE")
      }
      return true
    } catch let error as PostgresError where error.sqlState == "55P03" {
      return false
    }
  }
}
