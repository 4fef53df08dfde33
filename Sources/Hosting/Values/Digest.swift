// Fixed-length byte values: digests of secrets and of content. The secret itself is never here.

/// A SHA-256 digest, written as 64 hexadecimal digits.
package struct Digest: Hashable, Sendable {
  // Held as four words, not as an array: every event has a digest or two, and an array is a piece of
  // memory of its own.
  package static let byteCount = 32

  private let word0, word1, word2, word3: UInt64

  package init(bytes: [UInt8]) { self = bytes.withUnsafeBytes { Digest(raw: $0) } }

  package init(raw bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == Self.byteCount, "a SHA-256 digest has 32 bytes")
    word0 = bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    word1 = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    word2 = bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    word3 = bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
  }

  package var bytes: [UInt8] { withBytes { Array($0) } }

  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: (word0, word1, word2, word3)) { body($0) }
  }

  package init?(_ text: String) {
    guard let bytes = [UInt8](hexadecimal: text), bytes.count == 32 else { return nil }
    self.init(bytes: bytes)
  }

  package static let zero = Digest(bytes: [UInt8](repeating: 0, count: 32))
}

extension Digest: CustomStringConvertible {
  package var description: String { bytes.hexadecimal }
}

extension [UInt8] {
  package init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.nibble(digits[index]), let low = Self.nibble(digits[index + 1]) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    self = bytes
  }

  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: count * 2) { buffer in
      for (index, byte) in enumerated() {
        buffer[index * 2] = digits[Int(byte >> 4)]
        buffer[index * 2 + 1] = digits[Int(byte & 15)]
      }
      return count * 2
    }
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 97...102: digit - 87
    case 65...70: digit - 55
    default: nil
    }
  }
}

extension Digest: Comparable {
  /// As their bytes do, one after the other.
  package static func < (a: Self, b: Self) -> Bool {
    (a.word0.bigEndian, a.word1.bigEndian, a.word2.bigEndian, a.word3.bigEndian)
      < (b.word0.bigEndian, b.word1.bigEndian, b.word2.bigEndian, b.word3.bigEndian)
  }
}
