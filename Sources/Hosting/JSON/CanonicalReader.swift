// The short way to read an event: the text that JSONWriter writes, fields in their order, no spaces,
// plain ASCII. It is on the fold's hot path, so it is one pass over the bytes without a tree.
//
// It never judges. Whatever is not of that form, a fault or only another way to write the same, is
// left to the strict decoder, which says what is wrong. So what is read here is what that would read;
// a test holds the two against each other.

/// Reads values one after another; nil means "not for me", and the reader is of no more use.
package struct CanonicalReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0
  private var needsComma = false

  package init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  package var isAtEnd: Bool { index == bytes.count }

  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  package mutating func open() -> Bool {
    needsComma = false
    return take(UInt8(ascii: "{"))
  }

  package mutating func close() -> Bool {
    needsComma = true
    return take(UInt8(ascii: "}"))
  }

  /// `"key":`, after a comma unless it is the first; stays where it is when something else stands there.
  private mutating func key(_ key: StaticString) -> Bool {
    let start = index
    let count = key.utf8CodeUnitCount
    if needsComma, !take(UInt8(ascii: ",")) { return false }
    guard index + count + 3 <= bytes.count, bytes[index] == UInt8(ascii: "\"") else {
      index = start
      return false
    }
    for offset in 0..<count where bytes[index + 1 + offset] != key.utf8Start[offset] {
      index = start
      return false
    }
    guard bytes[index + 1 + count] == UInt8(ascii: "\""),
      bytes[index + 2 + count] == UInt8(ascii: ":")
    else {
      index = start
      return false
    }
    index += count + 3
    needsComma = true
    return true
  }

  /// A field that must be there.
  @inline(__always)
  package mutating func field<Value: CanonicallyRead>(
    _ name: StaticString, _ type: Value.Type
  ) -> Value? {
    guard key(name), let value = Value(canonical: &self) else { return nil }
    needsComma = true
    return value
  }

  /// A field that is left out when it has no value.
  @inline(__always)
  package mutating func optional<Value: CanonicallyRead>(
    _ name: StaticString, _ type: Value.Type
  ) -> Value?? {
    guard key(name) else { return .some(nil) }
    guard let value = Value(canonical: &self) else { return nil }
    needsComma = true
    return .some(value)
  }

  mutating func list<Value: CanonicallyRead>(of type: Value.Type) -> [Value]? {
    guard take(UInt8(ascii: "[")) else { return nil }
    var values: [Value] = []
    if take(UInt8(ascii: "]")) { return values }
    repeat {
      guard let value = Value(canonical: &self) else { return nil }
      values.append(value)
    } while take(UInt8(ascii: ","))
    return take(UInt8(ascii: "]")) ? values : nil
  }

  /// An object whose keys no type lists: each behind the one before it.
  mutating func fields<Value: CanonicallyRead>(of type: Value.Type) -> [(String, Value)]? {
    guard open() else { return nil }
    var fields: [(String, Value)] = []
    if close() { return fields }
    repeat {
      guard let key = text(), take(UInt8(ascii: ":")), fields.last.map({ $0.0 < key }) ?? true,
        let value = Value(canonical: &self)
      else { return nil }
      fields.append((key, value))
    } while take(UInt8(ascii: ","))
    return close() ? fields : nil
  }

  /// The bytes between the quotes of a string of plain ASCII.
  mutating func ascii() -> UnsafeBufferPointer<UInt8>? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    let start = index
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") {
        index += 1
        return UnsafeBufferPointer(rebasing: bytes[start..<index - 1])
      }
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") else { return nil }
      index += 1
    }
    return nil
  }

  mutating func text() -> String? { ascii().map { String(decoding: $0, as: UTF8.self) } }

  /// A whole number as JSONWriter writes it: no zeros before it, and never `-0`.
  mutating func integer() -> Int64? {
    let isNegative = take(UInt8(ascii: "-"))
    let start = index
    var value: Int64 = 0
    // Eighteen digits cannot overflow.
    while index < bytes.count, index - start < 18, case let digit = bytes[index] &- 48, digit < 10 {
      value = value &* 10 &+ Int64(digit)
      index += 1
    }
    guard index > start, index < bytes.count, bytes[start] != 48 || index == start + 1,
      !isNegative || value > 0
    else { return nil }
    switch bytes[index] {
    case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"):
      return isNegative ? -value : value
    default: return nil
    }
  }

  mutating func boolean() -> Bool? {
    if word("true") { return true }
    return word("false") ? false : nil
  }

  private mutating func word(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard index + count <= bytes.count else { return false }
    for offset in 0..<count where bytes[index + offset] != word.utf8Start[offset] { return false }
    index += count
    return true
  }
}

/// What has a short way; nil where the text is not of the canonical form, or not of this type.
package protocol CanonicallyRead {
  init?(canonical reader: inout CanonicalReader)
}

extension CanonicallyRead {
  /// Reads a whole document.
  package init?(canonicalDocument bytes: [UInt8]) {
    let value = bytes.withUnsafeBufferPointer { buffer -> Self? in
      var reader = CanonicalReader(buffer)
      guard let value = Self(canonical: &reader), reader.isAtEnd else { return nil }
      return value
    }
    guard let value else { return nil }
    self = value
  }
}
