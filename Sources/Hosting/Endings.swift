// What comes to its end next, by when: whoever notes ends looks at those that are due, and not at everything
// that will end some time.

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
    case (.secret(let a), .secret(let b)): a < b
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
  /// An ending, at its date.
  struct Dated: Equatable, Comparable, Sendable, SnapshotValue {
    let until: Timestamp
    let ending: Ending

    static func < (a: Self, b: Self) -> Bool {
      a.until == b.until ? a.ending < b.ending : a.until < b.until
    }
  }

  private(set) var dated = Ordered<Dated>()

  package init() {}

  init(dated: Ordered<Dated>) { self.dated = dated }

  mutating func add(_ ending: Ending, until: Timestamp?) {
    if let until { dated.insert(Dated(until: until, ending: ending)) }
  }

  mutating func remove(_ ending: Ending, until: Timestamp?) {
    if let until { dated.remove(Dated(until: until, ending: ending)) }
  }

  /// Most changes of a thing leave its date as it is, and cost nothing here.
  mutating func move(_ ending: Ending, from old: Timestamp?, to new: Timestamp?) {
    if old == new { return }
    remove(ending, until: old)
    add(ending, until: new)
  }

  /// Those whose date has come, the earliest first.
  package func due(at now: Timestamp) -> [Ending] {
    dated.elements().prefix { $0.until <= now }.map(\.ending)
  }

  /// The next date after this moment.
  package func next(after now: Timestamp) -> Timestamp? {
    // Of one moment no ending comes before this one.
    let first = Dated(
      until: Timestamp(microseconds: now.microseconds + 1),
      ending: .secret(Digest(bytes: Array(repeating: 0, count: Digest.byteCount))))
    var rest = dated.elements(from: first)
    return rest.next()?.until
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
