// A Decoder over JSONValue. Strict reading refuses fields that nobody asked for, so a misspelt one
// never passes in silence; lenient reading lets an older client read a newer server's replies. What people
// write is read as documents: strictly, with quantities as people write them (see DocumentUnit), and to the
// end, so that all that is wrong is told at once: reading goes on with a stand-in for what cannot be read.

package enum JSONDecoding {
  package static func read<T: Decodable>(
    _ type: T.Type, from value: JSONValue, strict: Bool
  ) throws(JSONProblem) -> T {
    try read(type, from: value, strict ? .strict : .lenient)
  }

  /// Reads what a person wrote.
  package static func readDocument<T: Decodable>(
    _ type: T.Type, from value: JSONValue
  ) throws(JSONProblem) -> T {
    try read(type, from: value, .document)
  }

  fileprivate enum Manner {
    case lenient, strict, document
    /// Nothing is read: something of the type is wanted, whatever it is.
    case standIn
  }

  fileprivate static func read<T: Decodable>(
    _ type: T.Type, from value: JSONValue, _ manner: Manner
  ) throws(JSONProblem) -> T {
    do { return try unbox(type, value, manner) } catch { throw problem(error) }
  }

  fileprivate static func problem(_ error: any Error) -> JSONProblem {
    switch error {
    case let problem as JSONProblem: problem
    case DecodingError.dataCorrupted(let context): JSONProblem(context.debugDescription)
    case let malformed as Malformed: JSONProblem(malformed.description)
    default: JSONProblem("\(error)")
    }
  }

  fileprivate static func unbox<T: Decodable>(
    _ type: T.Type, _ value: JSONValue, _ manner: Manner
  ) throws -> T {
    if manner == .document, let quantity = type as? any DocumentQuantity.Type,
      let read = try quantity.init(document: value) as? T
    {
      return read
    }
    if let readable = type as? any JSONReadable.Type,
      let read = try readable.init(json: value) as? T
    {
      return read
    }
    let decoder = ValueDecoder(value: value, manner)
    let result: T
    do { result = try T(from: decoder) } catch { throw decoder.ended(by: error) }
    try decoder.finish()
    return result
  }
}

/// Something of a type, with which a document is read on behind what is wrong. It never leaves a reading:
/// one that used it fails.
private enum StandIn {
  private static let samples = [
    "[]", "{}", "1", "true", "\"a\"", "\"a/b\"", "\"a/b:c\"", "\"2025-01-01\"", "\"a@b.example\"",
    "\"\(String(repeating: "0", count: 64))\"",
  ]

  static func of<T: Decodable>(_ type: T.Type) -> T? {
    if let cases = type as? any CaseIterable.Type { return first(of: cases) as? T }
    for sample in samples {
      if let value = try? JSONValue(document: Array(sample.utf8)),
        let made = try? JSONDecoding.unbox(type, value, .standIn)
      {
        return made
      }
    }
    return nil
  }

  private static func first<Cases: CaseIterable>(of type: Cases.Type) -> Any? {
    type.allCases.first
  }
}

/// What is wrong is noted, and there is nothing to read on with.
private struct Stopped: Error {}

private final class ValueDecoder: Decoder {
  let value: JSONValue
  let manner: JSONDecoding.Manner
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  /// The fields of the object and which of them were asked for; set by the first keyed container.
  var fields: [(key: String, value: JSONValue)]?
  var read: Set<Int> = []
  /// What was asked for, there or not.
  private var asked: [String] = []
  var usedOtherwise = false
  private var nextIndex = 0
  /// In a document: what is wrong so far, and what must be there and is not.
  private var faults: [JSONProblem] = []
  private var lacking: [String] = []
  /// Whether the type has a field of a name, also of one that was not asked for yet.
  private var isField: (String) -> Bool = { _ in true }

  init(value: JSONValue, _ manner: JSONDecoding.Manner) {
    self.value = value
    self.manner = manner
  }

  /// Writers keep an order, so the next field is nearly always the one asked for.
  func find(_ key: String) -> (key: String, value: JSONValue)? {
    guard let fields else { return nil }
    if asked.last != key { asked.append(key) }
    var index = nextIndex
    if index >= fields.count || fields[index].key != key {
      guard
        let found = fields.firstIndex(where: { $0.key == key })
          ?? DocumentUnit.stem(of: key, if: manner == .document)
          .flatMap({ stem in fields.firstIndex { $0.key == stem } })
      else { return nil }
      index = found
    }
    nextIndex = index + 1
    read.insert(index)
    return fields[index]
  }

  func finish() throws(JSONProblem) {
    guard manner == .strict || manner == .document else { return }
    if !usedOtherwise, fields == nil { fields = try value.fields() }
    if let all = JSONProblem(all(unread)) { throw all }
  }

  /// What is wrong with the whole, where reading ended before its end.
  func ended(by error: any Error) -> JSONProblem {
    // What comes after a stand-in may be its fault.
    if !(error is Stopped), faults.isEmpty, lacking.isEmpty {
      faults = JSONDecoding.problem(error).all
    }
    guard manner == .document else { return JSONProblem(faults) ?? JSONProblem("it is malformed") }
    let known = DocumentUnit.fields(of: isField)
    return JSONProblem(all(unread.filter { !known($0) })) ?? JSONProblem("it is malformed")
  }

  private var unread: [String] {
    guard !usedOtherwise, let fields, read.count < fields.count else { return [] }
    return fields.indices.filter { !read.contains($0) }.map { fields[$0].key }
  }

  /// What nobody asked for comes first: it may be what is missed.
  private func all(_ unknown: [String]) -> [JSONProblem] {
    let told = unknown.map { self.unknown($0) }
    let missed = lacking.filter { key in !told.contains { $0.meant == key } }
    return told.map(\.problem) + missed.map { JSONProblem("the field is missing", at: $0) } + faults
  }

  /// What to read on with behind a problem.
  func goOn<T: Decodable>(_ type: T.Type, after problem: JSONProblem) throws -> T {
    guard manner == .document || manner == .standIn else { throw problem }
    faults += problem.all
    guard let standIn = StandIn.of(type) else { throw Stopped() }
    return standIn
  }

  /// The same, where a field must be there and is not.
  func goOn<T: Decodable>(_ type: T.Type, without key: String) throws -> T {
    guard manner == .document || manner == .standIn else { throw missing(key) }
    lacking.append(key)
    guard let standIn = StandIn.of(type) else { throw Stopped() }
    return standIn
  }

  /// A field that must be there: what stands in its place, or that it is missing.
  func missing(_ key: String) -> JSONProblem {
    let others = (fields ?? []).indices.filter { !read.contains($0) }.map { fields![$0].key }
    guard manner != .lenient, let other = Spelling.nearest(to: key, among: others) else {
      return JSONProblem("the field is missing", at: key)
    }
    return JSONProblem(
      "there is no field of this name here; did you mean '\(key)'?", at: other.shortened(to: 40))
  }

  /// What is wrong with a field that nobody asked for, and which one it may be instead.
  private func unknown(_ key: String) -> (problem: JSONProblem, meant: String?) {
    let place = key.shortened(to: 40)
    if let whole = asked.first(where: { DocumentUnit.stem(of: $0, if: manner == .document) == key })
    {
      return (
        JSONProblem("'\(key)' and '\(whole)' say the same: write one of them", at: place), nil
      )
    }
    let known = asked.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let free = known.filter { name in fields?.contains { $0.key == name } != true }
    let meant = Spelling.nearest(to: key, among: free)
    let help =
      meant.map { "; did you mean '\($0)'?" }
      ?? (known.isEmpty ? "" : "; there are \(known.joined(separator: ", "))")
    return (JSONProblem("there is no field of this name here\(help)", at: place), meant)
  }

  func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
    if fields == nil { fields = try value.fields() }
    isField = { Key(stringValue: $0) != nil }
    return KeyedDecodingContainer(KeyedValues<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    usedOtherwise = true
    return ListValues(values: try value.list(), manner: manner)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    usedOtherwise = true
    return SingleValue(value: value, manner: manner)
  }
}

private struct KeyedValues<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: ValueDecoder
  var codingPath: [any CodingKey] { [] }

  var allKeys: [Key] {
    decoder.read = Set(decoder.fields?.indices ?? 0..<0)
    return (decoder.fields ?? []).compactMap { Key(stringValue: $0.key) }
  }

  func contains(_ key: Key) -> Bool { decoder.find(key.stringValue) != nil }

  func decodeNil(forKey key: Key) -> Bool { decoder.find(key.stringValue)?.value.isNull ?? true }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    guard let found = decoder.find(key.stringValue) else {
      return try decoder.goOn(type, without: key.stringValue)
    }
    do {
      if decoder.manner == .document, type == Int.self {
        let count = try DocumentUnit.count(found.value, as: key.stringValue, writtenAs: found.key)
        if let count = count as? T { return count }
      }
      return try JSONDecoding.read(type, from: found.value, decoder.manner)
    } catch {
      return try decoder.goOn(type, after: error.inside(found.key))
    }
  }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    guard let found = decoder.find(key.stringValue), !found.value.isNull else { return nil }
    return try decode(type, forKey: key)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try nested(key).container(keyedBy: Nested.self)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try nested(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }

  private func nested(_ key: Key) throws -> ValueDecoder {
    guard let found = decoder.find(key.stringValue) else {
      throw decoder.missing(key.stringValue)
    }
    return ValueDecoder(value: found.value, .lenient)
  }
}

private struct ListValues: UnkeyedDecodingContainer {
  let values: [JSONValue]
  let manner: JSONDecoding.Manner
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex >= values.count }

  init(values: [JSONValue], manner: JSONDecoding.Manner) {
    self.values = values
    self.manner = manner
  }

  private mutating func next() throws -> JSONValue {
    guard !isAtEnd else { throw JSONProblem("the list is too short") }
    defer { currentIndex += 1 }
    return values[currentIndex]
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, values[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let index = currentIndex
    let value = try next()
    do {
      return try JSONDecoding.read(type, from: value, manner)
    } catch {
      throw error.inside("[\(index)]")
    }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try ValueDecoder(value: next(), .lenient).container(keyedBy: Nested.self)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try ValueDecoder(value: next(), .lenient).unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder {
    ValueDecoder(value: try next(), .lenient)
  }
}

private struct SingleValue: SingleValueDecodingContainer {
  let value: JSONValue
  let manner: JSONDecoding.Manner
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { value.isNull }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try JSONDecoding.read(type, from: value, manner)
  }
}
