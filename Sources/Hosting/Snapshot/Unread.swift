// A large value within a snapshot that is read when somebody first asks for it. Most of a large state is what a
// few things hold: what a team may use, which replicas a deployment has. Who reads the state as of an earlier
// moment looks at a few of them, and a start at those that change.
//
// The seal of a snapshot says that its bytes are as a program of this very form wrote them; what is not read at
// once is not checked further.

import Synchronization

package struct Unread<Value: SnapshotValue & Sendable>: Sendable {
  /// Read at once where it is as short: to come back to it would cost more.
  private static var shortBytes: Int { 128 }

  private var known: Value?
  /// None, where it is known or was changed.
  private var bytes: UnreadBytes<Value>?

  package init(_ value: Value) { known = value }

  package var value: Value {
    get {
      if let known { return known }
      guard let bytes else { preconditionFailure("a value is neither known nor in a snapshot") }
      return bytes.value
    }
    _modify {
      if known == nil {
        known = value
        bytes = nil
      }
      yield &known!
    }
  }
}

extension Unread: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    let rest = try snapshot.part(ofAtMost: Self.shortBytes)
    if let rest {
      bytes = UnreadBytes(rest)
    } else {
      known = try snapshot.read(Value.self)
    }
  }

  package func write(to snapshot: inout SnapshotWriter) {
    if let bytes {
      snapshot.part(bytes.bytes)
    } else {
      snapshot.part { value.write(to: &$0) }
    }
  }
}

extension Unread: Equatable where Value: Equatable {
  package static func == (a: Self, b: Self) -> Bool { a.value == b.value }
}

/// Shared by all states that came of one snapshot and have not changed it.
private final class UnreadBytes<Value: SnapshotValue & Sendable>: Sendable {
  let bytes: ArraySlice<UInt8>
  private let known = Mutex<Value?>(nil)

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  var value: Value {
    known.withLock { known in
      if let known { return known }
      var reader = SnapshotReader(bytes)
      do {
        let value = try reader.read(Value.self)
        try reader.end()
        known = value
        return value
      } catch {
        preconditionFailure("a part of a sealed snapshot cannot be read: \(error)")
      }
    }
  }
}
