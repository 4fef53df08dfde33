// What a document says of a field: nothing, so that it is left alone; null, so that it is removed; or a value.

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
  /// What it is when the command is refused since its date has passed.
  var late = Late.refused

  init(_ command: any Command, late: Late = .refused) {
    self.command = command
    self.late = late
  }
}
