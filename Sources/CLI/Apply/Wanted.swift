// What a document says of a field: nothing, so that it is left alone; null, so that it is removed; or a value.
// Of a field that cannot be removed null is refused.

import Hosting

enum Wanted<Value: Decodable & Equatable>: Equatable {
  case unsaid
  case removed
  case value(Value)

  /// What it is to be, where it is something now.
  func over(_ current: Value?) -> Value? {
    switch self {
    case .unsaid: current
    case .removed: nil
    case .value(let value): value
    }
  }
}

extension Wanted: Decodable {
  /// A field that is there; one that is not never comes so far.
  init(from decoder: any Decoder) throws { self = .value(try Value(from: decoder)) }
}

extension KeyedDecodingContainer {
  /// What the compiler calls for a property of this type.
  func decode<Value>(_ type: Wanted<Value>.Type, forKey key: Key) throws -> Wanted<Value> {
    guard contains(key) else { return .unsaid }
    if try decodeNil(forKey: key) { return .removed }
    return .value(try decode(Value.self, forKey: key))
  }
}

/// The same of a field that is there for as long as its thing is: it is left alone, or has a value.
struct Kept<Value: Decodable & Equatable>: Equatable {
  let value: Value?

  /// - Returns: the value, where a new thing needs one.
  func required(_ field: String, of subject: String, such example: String) throws(Fixed) -> Value {
    guard let value else {
      throw Fixed(
        reason: "there is no \(subject) yet, and a new one needs '\(field)'",
        help: "add it, as \(field): \(example); of one that is there it may be left out")
    }
    return value
  }
}

extension Kept: Decodable {
  /// A field that is there; one that is not never comes so far.
  init(from decoder: any Decoder) throws { value = try Value(from: decoder) }
}

/// Anything but null.
private struct Something: Decodable {
  init(from decoder: any Decoder) throws {
    guard try decoder.singleValueContainer().decodeNil() else { return }
    throw Malformed(
      "null removes, and this cannot be removed: leave the field out, and it stays as it is")
  }
}

extension KeyedDecodingContainer {
  /// What the compiler calls for a property of this type.
  func decode<Value>(_ type: Kept<Value>.Type, forKey key: Key) throws -> Kept<Value> {
    guard contains(key) else { return Kept(value: nil) }
    if try decodeNil(forKey: key) {
      _ = try decode(Something.self, forKey: key)
      return Kept(value: nil)
    }
    return Kept(value: try decode(Value.self, forKey: key))
  }
}

/// A list that is all there is to be of something: what stands there and is not in it goes. So an empty one is
/// said on purpose: null is what is left when all lines of a list are commented out.
struct Whole<Value: Decodable & Equatable>: Equatable {
  let value: [Value]?
}

extension Whole: Decodable {
  /// A field that is there; one that is not never comes so far.
  init(from decoder: any Decoder) throws { value = try [Value](from: decoder) }
}

/// A list, and not null.
private struct SomeList: Decodable {
  init(from decoder: any Decoder) throws {
    guard try decoder.singleValueContainer().decodeNil() else { return }
    throw Malformed(
      "no list stands here: write [] if all are to go, or leave the field out, and they stay as they are"
    )
  }
}

extension KeyedDecodingContainer {
  /// What the compiler calls for a property of this type.
  func decode<Value>(_ type: Whole<Value>.Type, forKey key: Key) throws -> Whole<Value> {
    guard contains(key) else { return Whole(value: nil) }
    if try decodeNil(forKey: key) {
      _ = try decode(SomeList.self, forKey: key)
      return Whole(value: nil)
    }
    return Whole(value: try decode([Value].self, forKey: key))
  }
}

/// A command that brings a wish about.
struct WishStep {
  enum Late {
    /// A refusal, as any other.
    case refused
    /// What was wanted until then is over, and so it is.
    case done
    /// What stands against it is to go.
    case instead(any Command)
  }

  let command: any Command
  /// Where in the document stands what asks for it: `grants[1]`.
  let path: String
  /// What it is when the command is refused since its date has passed.
  var late = Late.refused

  init(_ command: any Command, at path: String = "", late: Late = .refused) {
    self.command = command
    self.path = path
    self.late = late
  }
}
