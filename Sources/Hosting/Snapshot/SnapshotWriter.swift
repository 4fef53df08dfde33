// Writes values one after another: whole numbers in as few bytes as they need, everything else by its
// length. No names and no types, since only the same form is read again.

package struct SnapshotWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func write(_ value: some SnapshotValue) { value.write(to: &self) }

  /// Seven bits a byte, the lowest first; the sign in the lowest bit.
  mutating func integer(_ value: Int64) {
    unsigned(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  mutating func unsigned(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func count(_ count: Int) { unsigned(UInt64(count)) }

  mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

  mutating func tag(_ tag: UInt8) { bytes.append(tag) }

  /// Bytes whose number the reader knows.
  mutating func raw(_ value: [UInt8]) { bytes.append(contentsOf: value) }

  /// A part that says how long it is.
  mutating func part(_ value: ArraySlice<UInt8>) {
    count(value.count)
    bytes.append(contentsOf: value)
  }

  mutating func part(_ write: (inout SnapshotWriter) -> Void) {
    var part = SnapshotWriter()
    write(&part)
    self.part(part.bytes[...])
  }

  mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { utf8 in
      count(utf8.count)
      bytes.append(contentsOf: utf8)
    }
  }
}
