// An Encoder onto JSONWriter. An encoder opens an object or list when its container is asked for and
// closes it when the value has been encoded; values are written straight through, never as a tree.

package enum JSONEncoding {
  /// The JSON text of a value. Encoding our own types cannot fail.
  package static func bytes(of value: some Encodable) -> [UInt8] {
    let sink = Sink()
    do { try sink.write(value) } catch { preconditionFailure("encoding failed: \(error)") }
    return sink.writer.bytes
  }
}

private final class Sink {
  var writer = JSONWriter()

  func write(_ value: some Encodable) throws {
    if let writable = value as? any JSONWritable {
      writable.write(to: &writer)
      return
    }
    let encoder = ValueEncoder(sink: self)
    try value.encode(to: encoder)
    encoder.close()
  }
}

private final class ValueEncoder: Encoder {
  enum Opened { case nothing, object, list, single }

  let sink: Sink
  var opened = Opened.nothing
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(sink: Sink) { self.sink = sink }

  /// A type without properties asks for no container: it is an empty object.
  func close() {
    switch opened {
    case .nothing:
      sink.writer.openObject()
      sink.writer.closeObject()
    case .object: sink.writer.closeObject()
    case .list: sink.writer.closeList()
    case .single: break
    }
  }

  func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
    if opened == .nothing {
      opened = .object
      sink.writer.openObject()
    }
    return KeyedEncodingContainer(KeyedSink<Key>(sink: sink))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if opened == .nothing {
      opened = .list
      sink.writer.openList()
    }
    return ListSink(sink: sink)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    opened = .single
    return SingleSink(sink: sink)
  }
}

private struct KeyedSink<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil(forKey key: Key) {
    sink.writer.key(key.stringValue)
    sink.writer.null()
  }

  mutating func encode(_ value: some Encodable, forKey key: Key) throws {
    sink.writer.key(key.stringValue)
    try sink.write(value)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type, forKey: Key
  ) -> KeyedEncodingContainer<Nested> { preconditionFailure("nested containers are not used here") }
  mutating func nestedUnkeyedContainer(forKey: Key) -> any UnkeyedEncodingContainer {
    preconditionFailure("nested containers are not used here")
  }
  mutating func superEncoder() -> any Encoder { preconditionFailure("no classes are encoded") }
  mutating func superEncoder(forKey: Key) -> any Encoder {
    preconditionFailure("no classes are encoded")
  }
}

private struct ListSink: UnkeyedEncodingContainer {
  let sink: Sink
  var count = 0
  var codingPath: [any CodingKey] { [] }

  init(sink: Sink) { self.sink = sink }

  mutating func encodeNil() { sink.writer.null() }

  mutating func encode(_ value: some Encodable) throws {
    count += 1
    try sink.write(value)
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { preconditionFailure("nested containers are not used here") }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    preconditionFailure("nested containers are not used here")
  }
  mutating func superEncoder() -> any Encoder { preconditionFailure("no classes are encoded") }
}

private struct SingleSink: SingleValueEncodingContainer {
  let sink: Sink
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil() { sink.writer.null() }
  mutating func encode(_ value: some Encodable) throws { try sink.write(value) }
}
