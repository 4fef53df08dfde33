// What comes to its end next, of keys, tokens and join tokens: kept by day, so that whoever notes ends
// looks at those of the days that have begun, and not at everything that will end some time.

import HashTreeCollections

package struct Endings: Equatable, Sendable, SnapshotValue {
  private static let dayMicroseconds: Int64 = 86_400_000_000

  /// Digests by the day, counted from 1970, on which they end.
  private(set) var byDay: TreeDictionary<Int, TreeSet<Digest>> = [:]

  package init() {}

  init(byDay: TreeDictionary<Int, TreeSet<Digest>>) { self.byDay = byDay }

  mutating func add(_ secret: Digest, until: Timestamp?) {
    guard let until else { return }
    byDay[Self.day(of: until), default: []].insert(secret)
  }

  mutating func remove(_ secret: Digest, until: Timestamp?) {
    guard let until, var left = byDay[Self.day(of: until)] else { return }
    left.remove(secret)
    byDay[Self.day(of: until)] = left.isEmpty ? nil : left
  }

  /// Those that end on a day that has begun.
  package func begun(by now: Timestamp) -> [Digest] {
    byDay.keys.filter { $0 <= Self.day(of: now) }.sorted()
      .flatMap { day in (byDay[day] ?? []).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) } }
  }

  /// When the next day begins on which something ends.
  package func nextDay(after now: Timestamp) -> Timestamp? {
    byDay.keys.filter { $0 > Self.day(of: now) }.min()
      .map { Timestamp(microseconds: Int64($0) * Self.dayMicroseconds) }
  }

  private static func day(of moment: Timestamp) -> Int {
    Int(moment.microseconds / dayMicroseconds)
  }
}

extension HostingState {
  /// What ended by this moment, as the commands that note it; and when to look again.
  package func dueEndings(
    at now: Timestamp
  ) -> (commands: [any Command], next: Timestamp?) {
    var commands: [any Command] = []
    var next = endings.nextDay(after: now)
    for secret in endings.begun(by: now) {
      guard let (end, command) = ending(of: secret) else { continue }
      if end <= now { commands.append(command) } else { next = next.map { min($0, end) } ?? end }
    }
    return (commands, next)
  }

  private func ending(of secret: Digest) -> (Timestamp, any Command)? {
    if let id = keyBySecret[secret], let until = keys[id]?.until {
      return (until, ExpireKey(key: id))
    }
    guard let credential = credentials[secret] else { return nil }
    switch credential.use {
    case .token(let until?):
      return (until, ExpireToken(person: ID(credential.holder.origin), token: secret))
    case .joinToken(let until):
      return (until, ExpireJoinToken(joinToken: ID(credential.holder.origin)))
    case .token(nil), .invitation, .agent, .gateway, .removed: return nil
    }
  }
}
