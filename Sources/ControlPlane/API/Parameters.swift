// Query parameters, read strictly.

import EventLog
import Hosting
import Hummingbird

extension Request {
  /// A whole number that was given under this name; none if it was not.
  func wholeNumber(_ name: String) throws -> Int? {
    guard let text = uri.queryParameters[Substring(name)].map(String.init) else { return nil }
    guard let position = Position(text: text) else {
      throw APIError.badParameter(name, text, wanted: "a whole number")
    }
    return Int(position.value)
  }

  /// What was given under this name, read; none if nothing was.
  func named<Value>(
    _ name: String, _ wanted: String, _ read: (String) -> Value?
  ) throws -> Value? {
    guard let text = uri.queryParameters[Substring(name)].map(String.init) else { return nil }
    guard let value = read(text) else { throw APIError.badParameter(name, text, wanted: wanted) }
    return value
  }

  /// The same of a list with commas.
  func namedAll<Value: Hashable>(
    _ name: String, _ wanted: String, _ read: (String) -> Value?
  ) throws -> Set<Value>? {
    try named(name, wanted) { text in
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      guard parts.count <= EventFilter.namesLimit else { return nil }
      let values = parts.compactMap { read(String($0)) }
      return values.count == parts.count ? Set(values) : nil
    }
  }
}
