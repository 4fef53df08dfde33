// What comes to its end next, by when: whoever notes ends looks at those that are due, and not at everything
// that will end some time. A moment is found by its day and its minute, so that the next one is found among
// few, however many things end and however many of them at once.

import HashTreeCollections

/// Something that a date is set for.
package enum Ending: Hashable, Comparable, Sendable {
  /// Of a key, a token or a join token.
  case secret(Digest)
  case grant(ID<Team>, ID<Model>)
  case agreement(ID<Agreement>)
  /// An agreement is in force from then on, of which no event tells.
  case beginning(ID<Agreement>)

  package static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.secret(let a), .secret(let b)): a.bytes.lexicographicallyPrecedes(b.bytes)
    case (.grant(let team, let model), .grant(let otherTeam, let otherModel)):
      (team, model) < (otherTeam, otherModel)
    case (.agreement(let a), .agreement(let b)), (.beginning(let a), .beginning(let b)): a < b
    default: a.kind < b.kind
    }
  }

  private var kind: Int {
    switch self {
    case .secret: 0
    case .grant: 1
    case .agreement: 2
    case .beginning: 3
    }
  }
}

package struct Endings: Equatable, Sendable, SnapshotValue {
  typealias Moments = TreeDictionary<Timestamp, TreeSet<Ending>>

  private static let minuteMicroseconds: Int64 = 60_000_000
  private static let minutesOfDay = 24 * 60

  /// By the day and the minute, both counted from 1970.
  private(set) var byDay: TreeDictionary<Int, TreeDictionary<Int, Moments>> = [:]

  package init() {}

  init(byDay: TreeDictionary<Int, TreeDictionary<Int, Moments>>) { self.byDay = byDay }

  mutating func add(_ ending: Ending, until: Timestamp?) {
    guard let until else { return }
    let (day, minute) = Self.place(of: until)
    byDay[day, default: [:]][minute, default: [:]][until, default: []].insert(ending)
  }

  mutating func remove(_ ending: Ending, until: Timestamp?) {
    guard let until else { return }
    let (day, minute) = Self.place(of: until)
    guard var minutes = byDay[day], var moments = minutes[minute], var left = moments[until] else {
      return
    }
    left.remove(ending)
    moments[until] = left.isEmpty ? nil : left
    minutes[minute] = moments.isEmpty ? nil : moments
    byDay[day] = minutes.isEmpty ? nil : minutes
  }

  /// Those whose date has come, the earliest first.
  package func due(at now: Timestamp) -> [Ending] {
    let (today, thisMinute) = Self.place(of: now)
    var due: [Ending] = []
    for day in byDay.keys.filter({ $0 <= today }).sorted() {
      guard let minutes = byDay[day] else { continue }
      for minute in minutes.keys.filter({ $0 <= thisMinute }).sorted() {
        guard let moments = minutes[minute] else { continue }
        for moment in moments.keys.filter({ $0 <= now }).sorted() {
          due += (moments[moment] ?? []).sorted()
        }
      }
    }
    return due
  }

  /// The next date after this moment.
  package func next(after now: Timestamp) -> Timestamp? {
    let (today, thisMinute) = Self.place(of: now)
    // What is left of today may be nothing.
    if let minutes = byDay[today] {
      if let next = minutes[thisMinute]?.keys.filter({ $0 > now }).min() { return next }
      if let minute = minutes.keys.filter({ $0 > thisMinute }).min() {
        return minutes[minute]?.keys.min()
      }
    }
    guard let day = byDay.keys.filter({ $0 > today }).min(), let minutes = byDay[day] else {
      return nil
    }
    return minutes.keys.min().flatMap { minutes[$0]?.keys.min() }
  }

  private static func place(of moment: Timestamp) -> (day: Int, minute: Int) {
    // Of before 1970, too, a day begins at its midnight.
    let minute =
      (moment.microseconds - (moment.microseconds < 0 ? minuteMicroseconds - 1 : 0))
      / minuteMicroseconds
    let whole = Int(minute)
    let day = (whole - (whole < 0 ? minutesOfDay - 1 : 0)) / minutesOfDay
    return (day, whole)
  }
}

extension HostingState {
  /// The command that notes the end of a key, a token or a join token, where there is such a thing.
  package func command(noting secret: Digest) -> (any Command)? {
    if let id = keyBySecret[secret], keys[id]?.until != nil { return ExpireKey(key: id) }
    guard let credential = credentials[secret] else { return nil }
    switch credential.use {
    case .token(.some): return ExpireToken(person: ID(credential.holder.origin), token: secret)
    case .joinToken: return ExpireJoinToken(joinToken: ID(credential.holder.origin))
    case .token(nil), .invitation, .agent, .gateway, .removed: return nil
    }
  }
}

// Beside the others' this one is written by hand, since it has cases that hold something.
extension Ending: SnapshotKey {
  private static var names: [String] { ["secret", "grant", "agreement", "beginning"] }

  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    switch try snapshot.tag(of: Self.names) {
    case 0: self = .secret(try snapshot.read())
    case 1: self = try .grant(snapshot.read(), snapshot.read())
    case 2: self = .agreement(try snapshot.read())
    case 3: self = .beginning(try snapshot.read())
    default: throw snapshot.unknownCase()
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.tag(UInt8(kind))
    switch self {
    case .secret(let secret): snapshot.write(secret)
    case .grant(let team, let model):
      snapshot.write(team)
      snapshot.write(model)
    case .agreement(let id), .beginning(let id): snapshot.write(id)
    }
  }
}
