// The scanner beneath JSONValue: checks the grammar of RFC 8259 and UTF-8 once for a whole document,
// then walks children of values already known to be well-formed.

struct JSONScan {
  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8], index: Int = 0) {
    self.bytes = bytes
    self.index = index
  }

  mutating func document() throws(JSONProblem) -> JSONValue {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JSONProblem("the document is not valid UTF-8")
    }
    skipSpace()
    let start = index
    try value(depth: 0)
    let end = index
    skipSpace()
    guard index == bytes.count else { throw unexpected("the end of the document") }
    return JSONValue(bytes: bytes, range: start..<end)
  }

  /// The direct children of the list or object at `index`, which was checked before.
  mutating func children() -> [(key: String, value: JSONValue)] {
    var found: [(key: String, value: JSONValue)] = []
    let isObject = bytes[index] == UInt8(ascii: "{")
    index += 1
    skipSpace()
    while bytes[index] != UInt8(ascii: "}"), bytes[index] != UInt8(ascii: "]") {
      var key = ""
      if isObject {
        let start = index
        skipChecked()
        key = Self.unescape(bytes[start + 1..<index - 1])
        skipSpace()
        index += 1
        skipSpace()
      }
      let start = index
      skipChecked()
      found.append((key, JSONValue(bytes: bytes, range: start..<index)))
      skipSpace()
      if bytes[index] == UInt8(ascii: ",") {
        index += 1
        skipSpace()
      }
    }
    return found
  }

  /// Passes over a value that was checked before: only strings and nesting matter.
  private mutating func skipChecked() {
    var depth = 0
    repeat {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        while bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index += 1
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        index += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        index += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
        index += 1
      default:
        while index < bytes.count, !Self.endsScalar(bytes[index]) { index += 1 }
      }
    } while depth > 0
  }

  private static func endsScalar(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D: true
    default: false
    }
  }

  private mutating func skipSpace() {
    while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private func unexpected(_ wanted: String) -> JSONProblem {
    guard index < bytes.count else {
      return JSONProblem("expected \(wanted), found the end of the document")
    }
    let character = String(decoding: bytes[index..<min(index + 4, bytes.count)], as: UTF8.self)
      .prefix(1)
    return JSONProblem("expected \(wanted), found '\(character)' at byte \(index)")
  }

  private mutating func value(depth: Int) throws(JSONProblem) {
    guard depth <= JSONValue.deepest else {
      throw JSONProblem("nested deeper than \(JSONValue.deepest) levels")
    }
    guard index < bytes.count else { throw unexpected("a value") }
    switch bytes[index] {
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "{"): try object(depth: depth)
    case UInt8(ascii: "["): try list(depth: depth)
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), 48...57: try number()
    default: throw unexpected("a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONProblem) {
    var keys: Set<String> = []
    index += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return }
    repeat {
      skipSpace()
      let start = index
      guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
        throw unexpected("a field's name")
      }
      try string()
      let key = Self.unescape(bytes[start + 1..<index - 1])
      guard keys.insert(key).inserted else {
        throw JSONProblem("the field '\(key.shortened(to: 40))' stands twice")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
      skipSpace()
      do { try value(depth: depth + 1) } catch { throw error.inside(key) }
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw unexpected("',' or '}'") }
  }

  private mutating func list(depth: Int) throws(JSONProblem) {
    index += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return }
    var count = 0
    repeat {
      skipSpace()
      do { try value(depth: depth + 1) } catch { throw error.inside("[\(count)]") }
      count += 1
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw unexpected("',' or ']'") }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func word(_ word: StaticString) throws(JSONProblem) {
    let length = word.utf8CodeUnitCount
    guard index + length <= bytes.count,
      bytes[index..<index + length].elementsEqual(
        UnsafeBufferPointer(start: word.utf8Start, count: length))
    else { throw unexpected("a value") }
    index += length
  }

  private mutating func digits() throws(JSONProblem) {
    let start = index
    while index < bytes.count, (48...57).contains(bytes[index]) { index += 1 }
    if index == start { throw unexpected("a digit") }
  }

  private mutating func number() throws(JSONProblem) {
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
  }

  private mutating func string() throws(JSONProblem) {
    index += 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        return
      case UInt8(ascii: "\\"):
        index += 1
        try escape()
      case 0..<0x20:
        throw JSONProblem("a control character in a string must be escaped")
      default:
        index += 1
      }
    }
    throw unexpected("the end of a string")
  }

  private mutating func escape() throws(JSONProblem) {
    guard index < bytes.count else { throw unexpected("an escape") }
    switch bytes[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 1
    case UInt8(ascii: "u"):
      let unit = try hexUnit()
      guard unit != 0 else { throw JSONProblem("the character U+0000 cannot be stored") }
      if (0xD800...0xDBFF).contains(unit) {
        guard take(UInt8(ascii: "\\")), index < bytes.count, bytes[index] == UInt8(ascii: "u"),
          case let low = try hexUnit(), (0xDC00...0xDFFF).contains(low)
        else { throw JSONProblem("half of a surrogate pair in a string") }
      } else if (0xDC00...0xDFFF).contains(unit) {
        throw JSONProblem("half of a surrogate pair in a string")
      }
    default:
      throw unexpected("an escape")
    }
  }

  /// Reads `uXXXX` at the index.
  private mutating func hexUnit() throws(JSONProblem) -> UInt16 {
    guard index + 5 <= bytes.count,
      let digits = String(validating: bytes[index + 1..<index + 5], as: UTF8.self),
      digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let unit = UInt16(digits, radix: 16)
    else { throw JSONProblem("\\u must be followed by four hexadecimal digits") }
    index += 5
    return unit
  }

  /// The text between the quotes of a checked string.
  static func unescape(_ inner: ArraySlice<UInt8>) -> String {
    guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
    var units: [UInt16] = []
    var scan = JSONScan(bytes: Array(inner))
    while scan.index < scan.bytes.count {
      let start = scan.index
      while scan.index < scan.bytes.count, scan.bytes[scan.index] != UInt8(ascii: "\\") {
        scan.index += 1
      }
      units.append(
        contentsOf: String(decoding: scan.bytes[start..<scan.index], as: UTF8.self).utf16)
      guard scan.index < scan.bytes.count else { break }
      scan.index += 1
      let letter = scan.bytes[scan.index]
      if letter == UInt8(ascii: "u"), let unit = try? scan.hexUnit() {
        units.append(unit)
      } else {
        scan.index += 1
        units.append(UInt16(Self.plain(letter)))
      }
    }
    return String(decoding: units, as: UTF16.self)
  }

  private static func plain(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }
}
