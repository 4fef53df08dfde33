// A state as bytes, so that a start need not fold the whole log. A cache only: what these bytes say
// can always be folded from the log again, so a form is never read by a program of another one.
//
// Deterministic: one state has one sequence of bytes, in every process.

package enum SnapshotFormat {
  /// Raised when an event's `evolve` folds otherwise than before, or when bytes of the same shape get
  /// another meaning. What the shape itself says is in `shape`.
  package static let version = 5

  /// Names this form: the version, and every value in the order in which it is read. Noted by the
  /// very code that reads, so it changes when that does.
  package static let description: String = {
    var reader = SnapshotReader.noting()
    do { _ = try HostingState(from: &reader) } catch {
      preconditionFailure("the shape of a snapshot cannot be noted: \(error)")
    }
    return "\(version) \(reader.noted)"
  }()
}

/// Bytes that no state can be read from.
package struct SnapshotDamage: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String
}

/// What has a place in a snapshot. Reading and writing name the same fields in the same order.
package protocol SnapshotValue {
  init(from snapshot: inout SnapshotReader) throws(SnapshotDamage)
  func write(to snapshot: inout SnapshotWriter)
}

extension HostingState {
  /// The whole state.
  package var snapshotBytes: [UInt8] {
    var writer = SnapshotWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// Reads what `snapshotBytes` of this very form wrote.
  package init(snapshotBytes: [UInt8]) throws(SnapshotDamage) {
    var reader = SnapshotReader(snapshotBytes)
    try self.init(from: &reader)
    try reader.end()
  }
}
