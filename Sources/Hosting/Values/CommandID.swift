// The id of a command, made by whoever sends it, so that a retry is known for what it is for ever.

/// A UUID, as 16 bytes. Clients make version 7 (ordered by time, so an index on it stays dense);
/// scenario steps derive theirs from scenario and step.
package struct CommandID: Hashable, Sendable {
  package let bytes: [UInt8]

  package init(bytes: [UInt8]) {
    precondition(bytes.count == 16, "a UUID has 16 bytes")
    self.bytes = bytes
  }

  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.utf8.count) == [8, 4, 4, 4, 12],
      let bytes = [UInt8](hexadecimal: parts.joined())
    else { return nil }
    self.bytes = bytes
  }

  /// A version 7 UUID of this moment and these random bits.
  package init(at now: Timestamp, random: (UInt64, UInt64)) {
    let milliseconds = UInt64(max(0, now.microseconds / 1000))
    let high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    bytes = [high, low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
  }

  /// A version 8 UUID derived from a digest: the same input gives the same id.
  package init(derivedFrom digest: Digest) {
    var bytes = Array(digest.bytes[0..<16])
    bytes[6] = bytes[6] & 0x0F | 0x80
    bytes[8] = bytes[8] & 0x3F | 0x80
    self.bytes = bytes
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
