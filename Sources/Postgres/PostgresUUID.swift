// A UUID as sixteen bytes, without Foundation.

package struct PostgresUUID: Sendable, Hashable, Comparable {
  /// The first and the last eight bytes, as big-endian numbers.
  private var high: UInt64
  private var low: UInt64

  package static let byteCount = 16

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// - Returns: nil unless there are exactly sixteen bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self = Array(bytes).withUnsafeBytes { PostgresUUID(raw: $0) }
  }

  /// - Parameter bytes: sixteen.
  package init(raw bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == Self.byteCount, "a UUID has sixteen bytes")
    high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }

  package var bytes: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      write(to: UnsafeMutableRawBufferPointer(buffer))
      count = Self.byteCount
    }
  }

  func write(to target: UnsafeMutableRawBufferPointer) {
    target.storeBytes(of: high.bigEndian, as: UInt64.self)
    target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// A random one (version 4).
  package static func random(
    using generator: inout some RandomNumberGenerator
  ) -> PostgresUUID {
    let high = generator.next() as UInt64
    let low = generator.next() as UInt64
    return PostgresUUID(
      high: high & ~0xF000 | 0x4000, low: low & ~(0b11 << 62) | (0b10 << 62))
  }

  package static func random() -> PostgresUUID {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  package static func < (left: PostgresUUID, right: PostgresUUID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

extension PostgresUUID: LosslessStringConvertible {
  /// Reads `8-4-4-4-12` hexadecimal digits of either case, and nothing else.
  package init?(_ description: String) {
    var digits: [UInt8] = []
    digits.reserveCapacity(32)
    for (index, byte) in description.utf8.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
      digits.append(UInt8(digit))
    }
    guard digits.count == 32 else { return nil }
    func number(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 4 | UInt64($1) } }
    self.init(high: number(digits[..<16]), low: number(digits[16...]))
  }

  /// The usual lower-case form, 36 characters.
  package var description: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      let digits: StaticString = "0123456789abcdef"
      var position = 0
      for index in 0..<Self.byteCount {
        if index == 4 || index == 6 || index == 8 || index == 10 {
          buffer[position] = UInt8(ascii: "-")
          position += 1
        }
        let half = index < 8 ? high : low
        let byte = UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (index % 8)))
        buffer[position] = digits.utf8Start[Int(byte >> 4)]
        buffer[position + 1] = digits.utf8Start[Int(byte & 15)]
        position += 2
      }
      return position
    }
  }
}
