// The snapshot form of values that records are made of. Collections without an order are written in
// the order of their keys.

import HashTreeCollections

extension Bool: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = try snapshot.flag()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.flag(self) }
}

extension Int: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = Int(try snapshot.integer())
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.integer(Int64(self)) }
}

extension Int64: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = try snapshot.integer()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.integer(self) }
}

extension String: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = try snapshot.text()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.text(self) }
}

extension Timestamp: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self.init(microseconds: try snapshot.integer())
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.integer(microseconds) }
}

extension Bytes: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self.init(count: try snapshot.integer())
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.integer(count) }
}

extension Position: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let value = try snapshot.integer()
    guard value >= 0 else { throw snapshot.negative() }
    self.init(value)
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.integer(value) }
}

extension ID: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self.init(try snapshot.read(Position.self))
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.write(position) }
}

extension Stream: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(snapshot.read(), snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(kind)
    snapshot.write(origin)
  }
}

extension Digest: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self.init(bytes: try snapshot.raw(32))
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.raw(bytes) }
}

// Names and texts were checked when they came in.

extension Name: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    text = try snapshot.text()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.text(text) }
}

extension Text: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    value = try snapshot.text()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.text(value) }
}

extension Email: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    text = try snapshot.text()
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.text(text) }
}

/// Known or forgotten: what a state holds is never sealed.
extension Personal: SnapshotValue where Value: SnapshotValue {
  private static var names: [String] { ["known", "forgotten"] }

  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    switch try snapshot.tag(of: Self.names) {
    case 0: self = .known(try snapshot.read())
    case 1: self = .forgotten
    default: throw snapshot.unknownCase()
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    switch self {
    case .known(let value):
      snapshot.tag(0)
      snapshot.write(value)
    case .forgotten: snapshot.tag(1)
    case .sealed: preconditionFailure("a state holds nothing that is sealed")
    }
  }
}

// MARK: Cases

/// A value that is one of a few, by its place among them.
package protocol SnapshotCase: SnapshotValue, CaseIterable, RawRepresentable, Equatable
where RawValue == String {}

extension SnapshotCase {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let cases = Array(Self.allCases)
    let tag = try snapshot.tag(of: cases.map(\.rawValue))
    guard tag < cases.count else { throw snapshot.unknownCase() }
    self = cases[tag]
  }
  package func write(to snapshot: inout SnapshotWriter) {
    guard let index = Array(Self.allCases).firstIndex(of: self) else {
      preconditionFailure("\(self) is none of its type's cases")
    }
    snapshot.tag(UInt8(index))
  }
}

extension Kind: SnapshotCase {}
extension Audience: SnapshotCase {}
extension Workload: SnapshotCase {}
extension ModelTask: SnapshotCase {}
extension Stage: SnapshotCase {}
extension Role: SnapshotCase {}
extension WaitingReason: SnapshotCase {}
extension AttemptPhase: SnapshotCase {}
extension Person.Status: SnapshotCase {}
extension Node.Status: SnapshotCase {}
extension EndedGrant.Cause: SnapshotCase {}
extension AttemptCause: SnapshotCase {}
extension NodeTrouble: SnapshotCase {}

// MARK: Collections

extension Optional: SnapshotValue where Wrapped: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = try snapshot.flag() ? try snapshot.read(Wrapped.self) : nil
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.flag(self != nil)
    if let self { snapshot.write(self) }
  }
}

extension Array: SnapshotValue where Element: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let count = try snapshot.count()
    self = []
    reserveCapacity(count)
    for _ in 0..<count { append(try snapshot.read()) }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.count(count)
    for element in self { snapshot.write(element) }
  }
}

/// A value that others are found by, with an order to write them in.
package protocol SnapshotKey: SnapshotValue, Hashable {
  static func comesBefore(_ a: Self, _ b: Self) -> Bool
}

extension SnapshotKey where Self: Comparable {
  package static func comesBefore(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension Int: SnapshotKey {}
extension Position: SnapshotKey {}
extension Timestamp: SnapshotKey {}
extension String: SnapshotKey {}
extension ID: SnapshotKey {}
extension AttemptID: SnapshotKey {}
extension Audience: SnapshotKey {}
extension Line: SnapshotKey {}
extension NodeMark: SnapshotKey {}

extension Stream: SnapshotKey {
  package static func comesBefore(_ a: Self, _ b: Self) -> Bool {
    (a.origin, a.kind.rawValue) < (b.origin, b.kind.rawValue)
  }
}

extension Digest: SnapshotKey {
  package static func comesBefore(_ a: Self, _ b: Self) -> Bool {
    a < b
  }
}

extension Set: SnapshotValue where Element: SnapshotKey {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = Set(try snapshot.read([Element].self))
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(sorted(by: Element.comesBefore))
  }
}

extension TreeSet: SnapshotValue where Element: SnapshotKey {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self = TreeSet(try snapshot.read([Element].self))
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(sorted(by: Element.comesBefore))
  }
}

extension Dictionary: SnapshotValue where Key: SnapshotKey, Value: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let count = try snapshot.count()
    self.init(minimumCapacity: count)
    for _ in 0..<count {
      let key = try snapshot.read(Key.self)
      self[key] = try snapshot.read(Value.self)
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.count(count)
    for (key, value) in sorted(by: { Key.comesBefore($0.key, $1.key) }) {
      snapshot.write(key)
      snapshot.write(value)
    }
  }
}

extension TreeDictionary: SnapshotValue where Key: SnapshotKey, Value: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let count = try snapshot.count()
    self.init()
    for _ in 0..<count {
      let key = try snapshot.read(Key.self)
      self[key] = try snapshot.read(Value.self)
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.count(count)
    // The keys alone are sorted: values may be large.
    for key in keys.sorted(by: Key.comesBefore) {
      guard let value = self[key] else { preconditionFailure("a key has no value") }
      snapshot.write(key)
      snapshot.write(value)
    }
  }
}

extension Catalog: SnapshotValue where Element: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let count = try snapshot.count()
    self.init()
    for _ in 0..<count {
      let element = try snapshot.read(Element.self)
      do { try insert(element) } catch { throw snapshot.contradiction(error) }
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.count(count)
    for id in byID.keys.sorted() {
      guard let element = self[id] else { preconditionFailure("an id has no element") }
      snapshot.write(element)
    }
  }
}
