// Query parameters, read strictly.

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
}
