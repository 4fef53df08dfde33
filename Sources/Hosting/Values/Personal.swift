// Personal data: names, e-mail addresses and free text of people. In events it stands only in fields of
// this type, and in the log only sealed with a key of its person's own, which is kept apart from the
// log. A person is forgotten by the end of that key: the log stays as it is, and so does its chain.
//
//   known ──the log's edge seals──▶ sealed ──it opens──▶ known
//                                     └──its key is no more──▶ forgotten
//
// Deciding and folding see what is known or forgotten; only stored text is ever sealed.

package enum Personal<Value: Hashable & Sendable>: Hashable, Sendable {
  case known(Value)
  case sealed(SealedBox)
  case forgotten

  package var known: Value? {
    guard case .known(let value) = self else { return nil }
    return value
  }
}

/// What stands in the log for personal data: opaque without its person's key.
package struct SealedBox: Hashable, Sendable {
  /// Whose key opens it.
  package let of: ID<Person>
  package let box: [UInt8]

  package init(of person: ID<Person>, box: [UInt8]) {
    of = person
    self.box = box
  }
}

/// What people read in the place of what is forgotten.
package enum Forgotten {
  package static let text = "(forgotten)"
}

/// A value that may be personal.
package protocol PersonalValue: JSONText, Hashable, Sendable {}

extension Name: PersonalValue {}
extension Text: PersonalValue {}

extension Personal where Value: PersonalValue {
  /// For people.
  package var shown: String { known?.jsonText ?? Forgotten.text }

  /// The same field after what seals or opens it. The text of a known value is that of its JSON string.
  package func changed(
    _ change: (Personal<String>) throws -> Personal<String>
  ) throws -> Personal {
    let old: Personal<String> =
      switch self {
      case .known(let value): .known(value.jsonText)
      case .sealed(let box): .sealed(box)
      case .forgotten: .forgotten
      }
    switch try change(old) {
    case .known(let text): return .known(try Value(jsonText: text))
    case .sealed(let box): return .sealed(box)
    case .forgotten: return .forgotten
    }
  }
}

/// An event with personal fields. It stands on its person's own stream: so who reads the log knows
/// whose key to have at hand before an event is read.
package protocol HoldsPersonal: Event {
  /// The same event after what seals or opens each of its personal fields, by their names.
  func changingPersonal(
    _ change: (_ field: String, Personal<String>) throws -> Personal<String>
  ) throws -> Self
}

// MARK: JSON

/// A known value is written as it is, so that what was stored before there were keys reads as known.
extension Personal: JSONReadable, JSONWritable, Codable where Value: PersonalValue {
  package init(json: JSONValue) throws(JSONProblem) {
    if let box = try SealedBox(json: json) {
      self = .sealed(box)
    } else if try json.string() == Forgotten.text {
      self = .forgotten
    } else {
      self = .known(try Value(json: json))
    }
  }

  package func write(to json: inout JSONWriter) {
    switch self {
    case .known(let value): value.write(to: &json)
    case .forgotten: json.string(Forgotten.text)
    case .sealed(let box):
      json.openObject()
      json.field("of", box.of.position)
      json.field("box", box.box.hexadecimal)
      json.closeObject()
    }
  }

  package init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    self = text == Forgotten.text ? .forgotten : .known(try Value(jsonText: text))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(shown)
  }
}

extension SealedBox {
  /// - Returns: nil when the value is no object.
  fileprivate init?(json: JSONValue) throws(JSONProblem) {
    guard json.isObject else { return nil }
    let fields = try json.fields()
    guard fields.map(\.key) == ["of", "box"],
      let box = [UInt8](hexadecimal: try fields[1].value.string())
    else {
      throw JSONProblem("expected a sealed value: {\"of\":17,\"box\":\"hexadecimal digits\"}")
    }
    self.init(of: ID(try Position(json: fields[0].value)), box: box)
  }
}

extension Personal: CanonicallyRead where Value: PersonalValue & CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    if reader.open() {
      guard let of = reader.field("of", Position.self), let text = reader.field("box", String.self),
        let box = [UInt8](hexadecimal: text), reader.close()
      else { return nil }
      self = .sealed(SealedBox(of: ID(of), box: box))
    } else {
      // "(forgotten)" is no name; a text that says so is left to the strict decoder.
      guard let value = Value(canonical: &reader), value.jsonText != Forgotten.text else {
        return nil
      }
      self = .known(value)
    }
  }
}
