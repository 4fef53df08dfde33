// Which statements of one connection are prepared on the server.
//
// unseen ── use ──▶ seen ── use ──▶ prepared ── 256 others used since ──▶ doomed ──▶ deallocated
//
// A statement is prepared at its second use: most statements that name a table by interpolation, or
// belong to a migration, come only once, and preparing costs a round trip.

struct StatementCache {
  /// Statements remembered for each connection.
  static let limit = 256

  struct Key: Hashable {
    let sql: String
    let types: [UInt32]

    init(_ query: Query) {
      sql = query.sql
      types = query.parameters.map(\.oid)
    }
  }

  enum Action: Equatable {
    case runUnprepared
    /// Prepare it under this name, report `prepared`, then run it by name.
    case prepare(name: String)
    case runPrepared(name: String)
  }

  private struct Entry {
    var name: String?
    var lastUse: Int
  }

  private var entries: [Key: Entry] = [:]
  private var uses = 0
  private var names = 0
  /// Evicted here but still prepared on the server, until the next prepare outside a transaction.
  private(set) var doomed: [String] = []

  var count: Int { entries.count }

  mutating func use(_ key: Key) -> Action {
    uses += 1
    if let entry = entries[key] {
      entries[key]?.lastUse = uses
      if let name = entry.name { return .runPrepared(name: name) }
      names += 1
      return .prepare(name: "wharf_\(names)")
    }
    if entries.count >= Self.limit { evictOldest() }
    entries[key] = Entry(name: nil, lastUse: uses)
    return .runUnprepared
  }

  mutating func prepared(_ key: Key, name: String) {
    precondition(entries[key] != nil, "only a statement in use gets prepared")
    entries[key]?.name = name
  }

  /// The server no longer has it, or its plan is stale: start over.
  mutating func forget(_ key: Key) {
    guard let name = entries.removeValue(forKey: key)?.name else { return }
    doomed.append(name)
  }

  mutating func takeDoomed() -> [String] {
    defer { doomed = [] }
    return doomed
  }

  private mutating func evictOldest() {
    guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
    forget(oldest.key)
  }
}
