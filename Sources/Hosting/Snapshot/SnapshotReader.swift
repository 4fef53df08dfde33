// Reads what SnapshotWriter wrote. It can also note, in place of reading, what it would read: that is
// how a form gets its name. Then every list has one element and nothing is absent.

package struct SnapshotReader {
  private let bytes: ArraySlice<UInt8>
  private var index: Int
  private let isNoting: Bool
  /// What was asked for, in order.
  private(set) var noted = ""

  package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
    isNoting = false
  }

  private init(noting: Void) {
    bytes = []
    index = 0
    isNoting = true
  }

  static func noting() -> SnapshotReader { SnapshotReader(noting: ()) }

  package mutating func read<Value: SnapshotValue>(
    _ type: Value.Type = Value.self
  ) throws(SnapshotDamage) -> Value {
    guard isNoting else { return try Value(from: &self) }
    noted += "\(Value.self)("
    let value = try Value(from: &self)
    noted += ")"
    return value
  }

  private mutating func note(_ what: String) { noted += what }

  private func damage(_ what: String) -> SnapshotDamage {
    SnapshotDamage(description: "\(what) at byte \(index) of \(bytes.endIndex)")
  }

  private mutating func byte() throws(SnapshotDamage) -> UInt8 {
    guard index < bytes.endIndex else { throw damage("it ends") }
    defer { index += 1 }
    return bytes[index]
  }

  mutating func unsigned() throws(SnapshotDamage) -> UInt64 {
    if isNoting {
      note("u")
      return 0
    }
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw damage("a number is too large") }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  mutating func integer() throws(SnapshotDamage) -> Int64 {
    let value = try unsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// How many elements follow; each has at least one byte.
  mutating func count() throws(SnapshotDamage) -> Int {
    if isNoting {
      note("#")
      return 1
    }
    let value = try unsigned()
    guard value <= UInt64(bytes.endIndex - index) else {
      throw damage("a list is longer than the rest")
    }
    return Int(value)
  }

  mutating func flag() throws(SnapshotDamage) -> Bool {
    if isNoting {
      note("?")
      return true
    }
    switch try byte() {
    case 0: return false
    case 1: return true
    default: throw damage("something is neither true nor false")
    }
  }

  /// Which of so many cases follows; `names` say in the form's name what they are.
  mutating func tag(of names: @autoclosure () -> [String]) throws(SnapshotDamage) -> Int {
    if isNoting {
      note(names().joined(separator: "|"))
      return 0
    }
    return Int(try byte())
  }

  mutating func raw(_ count: Int) throws(SnapshotDamage) -> [UInt8] {
    if isNoting {
      note("\(count)b")
      return [UInt8](repeating: 0, count: count)
    }
    guard count <= bytes.endIndex - index else { throw damage("it ends") }
    defer { index += count }
    return Array(bytes[index..<index + count])
  }

  mutating func text() throws(SnapshotDamage) -> String {
    if isNoting {
      note("t")
      return ""
    }
    let length = try count()
    let start = index - bytes.startIndex
    defer { index += length }
    guard
      let text = bytes.withUnsafeBufferPointer({
        String(validating: UnsafeBufferPointer(rebasing: $0[start..<start + length]), as: UTF8.self)
      })
    else { throw damage("a text is not UTF-8") }
    return text
  }

  /// A part that says how long it is: passed over where it is longer than `short`, else to be read next.
  ///
  /// - Returns: what was passed over.
  mutating func part(ofAtMost short: Int) throws(SnapshotDamage) -> ArraySlice<UInt8>? {
    let length = try count()
    guard !isNoting, length > short else { return nil }
    defer { index += length }
    return bytes[index..<index + length]
  }

  func unknownCase() -> SnapshotDamage { damage("there is no such case") }
  func negative() -> SnapshotDamage { damage("a position is negative") }
  func contradiction(_ reason: Contradiction) -> SnapshotDamage { damage(reason.description) }

  func end() throws(SnapshotDamage) {
    guard index == bytes.endIndex else { throw damage("it goes on after its end") }
  }
}
