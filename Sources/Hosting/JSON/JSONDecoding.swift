// A Decoder over JSONValue. Strict reading refuses fields that nobody asked for, so a misspelt one
// never passes in silence; lenient reading lets an older client read a newer server's replies. What people
// write is read as documents: strictly, and with quantities as people write them (see DocumentUnit).

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

  fileprivate enum Manner { case lenient, strict, document }

  fileprivate static func read<T: Decodable>(
    _ type: T.Type, from value: JSONValue, _ manner: Manner
  ) throws(JSONProblem) -> T {
    do {
      return try unbox(type, value, manner)
    } catch let problem as JSONProblem {
      throw problem
    } catch DecodingError.dataCorrupted(let context) {
      throw JSONProblem(context.debugDescription)
    } catch let malformed as Malformed {
      throw JSONProblem(malformed.description)
    } catch {
      throw JSONProblem("\(error)")
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
    let result = try T(from: decoder)
    try decoder.finish()
    return result
  }
}

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
    guard manner != .lenient, !usedOtherwise else { return }
    let fields: [(key: String, value: JSONValue)]
    if let known = self.fields { fields = known } else { fields = try value.fields() }
    guard read.count < fields.count,
      let index = fields.indices.first(where: { !read.contains($0) })
    else { return }
    throw unknown(fields[index].key)
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

  private func unknown(_ key: String) -> JSONProblem {
    let place = key.shortened(to: 40)
    if let whole = asked.first(where: { DocumentUnit.stem(of: $0, if: manner == .document) == key })
    {
      return JSONProblem("'\(key)' and '\(whole)' say the same: write one of them", at: place)
    }
    let known = asked.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let free = known.filter { name in fields?.contains { $0.key == name } != true }
    let help =
      Spelling.nearest(to: key, among: free).map { "; did you mean '\($0)'?" }
      ?? (known.isEmpty ? "" : "; there are \(known.joined(separator: ", "))")
    return JSONProblem("there is no field of this name here\(help)", at: place)
  }

  func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
    if fields == nil { fields = try value.fields() }
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
      throw decoder.missing(key.stringValue)
    }
    do {
      if decoder.manner == .document, type == Int.self {
        let count = try DocumentUnit.count(found.value, as: key.stringValue, writtenAs: found.key)
        if let count = count as? T { return count }
      }
      return try JSONDecoding.read(type, from: found.value, decoder.manner)
    } catch {
      throw error.inside(found.key)
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
