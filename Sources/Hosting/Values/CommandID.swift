// The id of a command, made by whoever sends it, so that a retry is known for what it is for ever.

/// A UUID, as 16 bytes. Clients make version 7 (ordered by time, so an index on it stays dense);
/// scenario steps derive theirs from scenario and step.
package struct CommandID: Hashable, Sendable {
  // Held as two words, not as an array: every event has two ids.
  private let word0, word1: UInt64

  package init(bytes: [UInt8]) { self = bytes.withUnsafeBytes { CommandID(raw: $0) } }

  package init(raw bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 16, "a UUID has 16 bytes")
    word0 = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    word1 = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
  }

  package var bytes: [UInt8] { withBytes { Array($0) } }

  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: (word0, word1)) { body($0) }
  }

  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
      let bytes = [UInt8](hexadecimal: parts.joined())
    else { return nil }
    self.init(bytes: bytes)
  }

  /// A version 7 UUID of this moment and these random bits.
  package init(at now: Timestamp, random: (UInt64, UInt64)) {
    let milliseconds = UInt64(max(0, now.microseconds / 1000))
    let high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    word0 = high.bigEndian
    word1 = low.bigEndian
  }

  /// A version 8 UUID derived from a digest: the same input gives the same id.
  package init(derivedFrom digest: Digest) {
    var bytes = Array(digest.bytes[0..<16])
    bytes[6] = bytes[6] & 0x0F | 0x80
    bytes[8] = bytes[8] & 0x3F | 0x80
    self.init(bytes: bytes)
  }
}

extension CommandID: CustomStringConvertible {
  package var description: String {
    let digits = Array(bytes.hexadecimal)
    return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
      .map { String($0) }.joined(separator: "-")
  }
}

extension CommandID: JSONText {
  package init(jsonText: String) throws(Malformed) {
    guard let value = CommandID(jsonText) else {
      throw Malformed("'\(jsonText.shortened(to: 40))' is no UUID")
    }
    self = value
  }
  package var jsonText: String { description }
}
