// A Decoder over JSONValue. Strict reading refuses fields that nobody asked for, so a misspelt one
// never passes in silence; lenient reading lets an older client read a newer server's replies.

package enum JSONDecoding {
  package static func read<T: Decodable>(
    _ type: T.Type, from value: JSONValue, strict: Bool
  ) throws(JSONProblem) -> T {
    do {
      return try unbox(type, value, strict)
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
    _ type: T.Type, _ value: JSONValue, _ strict: Bool
  ) throws -> T {
    if let readable = type as? any JSONReadable.Type,
      let read = try readable.init(json: value) as? T
    {
      return read
    }
    let decoder = ValueDecoder(value: value, strict: strict)
    let result = try T(from: decoder)
    try decoder.finish()
    return result
  }
}

private final class ValueDecoder: Decoder {
  let value: JSONValue
  let strict: Bool
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  /// The fields of the object and which of them were asked for; set by the first keyed container.
  var fields: [(key: String, value: JSONValue)]?
  var read: Set<Int> = []
  var usedOtherwise = false
  private var nextIndex = 0

  init(value: JSONValue, strict: Bool) {
    self.value = value
    self.strict = strict
  }

  /// Writers keep an order, so the next field is nearly always the one asked for.
  func find(_ key: String) -> JSONValue? {
    guard let fields else { return nil }
    var index = nextIndex
    if index >= fields.count || fields[index].key != key {
      guard let found = fields.firstIndex(where: { $0.key == key }) else { return nil }
      index = found
    }
    nextIndex = index + 1
    read.insert(index)
    return fields[index].value
  }

  func finish() throws(JSONProblem) {
    guard strict, !usedOtherwise else { return }
    let fields: [(key: String, value: JSONValue)]
    if let known = self.fields { fields = known } else { fields = try value.fields() }
    guard read.count < fields.count,
      let index = fields.indices.first(where: { !read.contains($0) })
    else { return }
    throw JSONProblem(
      "there is no field of this name here", at: fields[index].key.shortened(to: 40))
  }

  func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
    if fields == nil { fields = try value.fields() }
    return KeyedDecodingContainer(KeyedValues<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    usedOtherwise = true
    return ListValues(values: try value.list(), strict: strict)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    usedOtherwise = true
    return SingleValue(value: value, strict: strict)
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

  func decodeNil(forKey key: Key) -> Bool { decoder.find(key.stringValue)?.isNull ?? true }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    guard let value = decoder.find(key.stringValue) else {
      throw JSONProblem("the field is missing", at: key.stringValue)
    }
    do {
      return try JSONDecoding.read(type, from: value, strict: decoder.strict)
    } catch {
      throw error.inside(key.stringValue)
    }
  }

  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    guard let value = decoder.find(key.stringValue), !value.isNull else { return nil }
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
    guard let value = decoder.find(key.stringValue) else {
      throw JSONProblem("the field is missing", at: key.stringValue)
    }
    return ValueDecoder(value: value, strict: false)
  }
}

private struct ListValues: UnkeyedDecodingContainer {
  let values: [JSONValue]
  let strict: Bool
  var currentIndex = 0
  var codingPath: [any CodingKey] { [] }
  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex >= values.count }

  init(values: [JSONValue], strict: Bool) {
    self.values = values
    self.strict = strict
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
      return try JSONDecoding.read(type, from: value, strict: strict)
    } catch {
      throw error.inside("[\(index)]")
    }
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try ValueDecoder(value: next(), strict: false).container(keyedBy: Nested.self)
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try ValueDecoder(value: next(), strict: false).unkeyedContainer()
  }

  mutating func superDecoder() throws -> any Decoder {
    ValueDecoder(value: try next(), strict: false)
  }
}

private struct SingleValue: SingleValueDecodingContainer {
  let value: JSONValue
  let strict: Bool
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { value.isNull }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try JSONDecoding.read(type, from: value, strict: strict)
  }
}
